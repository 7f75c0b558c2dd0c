"""Dashboards as code; read by the hub as package data. Imports nothing of ours."""

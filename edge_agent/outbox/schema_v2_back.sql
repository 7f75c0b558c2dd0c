-- From version 2 to 1: every event stays; which outbox it is and how often it was opened is told anew by the next one.
DROP INDEX event_unsealed;
DROP TABLE identity;

"""nginx's configuration: one port for HTTPS and MQTT, told apart by the name that the client asks for. Pure.

TLS for the broker's name passes through untouched, so that the device's certificate reaches Mosquitto. What is for the
hub's own name ends here. Both ways begin with the PROXY protocol, which tells nginx itself whose request it is (limits
count by address); on the way to Mosquitto a second hop takes it off again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

_CONFIG: Final = """\
# nginx for ttdn-hub; made by: ttdn-hub pki proxy-config. After a change of https.pem: nginx -s reload.
# It need not be root; what is not named by a whole path lies below its option -p.

load_module /usr/lib/nginx/modules/ngx_stream_module.so;
worker_processes auto;
error_log stderr warn;

events {{
    worker_connections 8192;
}}

stream {{
    # By the name in the ClientHello; nothing is decrypted.
    map $ssl_preread_server_name $way {{
        {mqtt_name} 127.0.0.1:{hop_port};
        {name} 127.0.0.1:{https_port};
        default 127.0.0.1:{https_port};
    }}
    server {{
        listen {public};
        ssl_preread on;
        preread_timeout 10s;
        proxy_pass $way;
        proxy_protocol on;
        proxy_connect_timeout 5s;
        proxy_timeout 10m;
    }}
    # Mosquitto knows no PROXY protocol.
    server {{
        listen 127.0.0.1:{hop_port} proxy_protocol;
        proxy_pass {broker};
        proxy_connect_timeout 5s;
        proxy_timeout 10m;
    }}
}}

http {{
    access_log off;
    server_tokens off;
    client_max_body_size 10m;
    client_body_temp_path client_body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{https_port} ssl proxy_protocol;
        server_name {name};
        set_real_ip_from 127.0.0.1;
        real_ip_header proxy_protocol;
        ssl_certificate {folder}/https.pem;
        ssl_certificate_key {folder}/https.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{
            proxy_pass http://{api};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            # A package goes to each slow kiosk at its own pace, and not first into a file of nginx's for each of them.
            proxy_max_temp_file_size 0;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


class Ways(NamedTuple):
    """Where the proxy listens, and where it leads to."""

    name: str
    mqtt_name: str
    public: str
    """Port, or address and port."""
    https_port: int
    hop_port: int
    broker: str
    api: str


def configuration(folder: Path, ways: Ways) -> str:
    """nginx.conf for what lies in `folder`."""
    return _CONFIG.format(folder=folder, **ways._asdict())

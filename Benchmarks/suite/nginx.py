"""nginx with one worker and the advice for files: sendfile, tcp_nopush, no access log."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .missing import Missing

MODULES = [Path("/usr/lib/nginx/modules", name)
           for name in ("ndk_http_module.so", "ngx_http_lua_module.so")]
HAS_LUA = all(path.exists() for path in MODULES)

CONF = """\
{modules}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    {cache}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = /hello {{ default_type text/plain; return 200 "Hello, World!"; }}
        location /static/ {{ alias {root}/; }}
        {body}
    }}
}}
"""
# Nothing in nginx itself answers with the request's body.
BODY = """location = /body {
            content_by_lua_block {
                ngx.req.read_body()
                local body = ngx.req.get_body_data()
                ngx.header.content_length = #body
                ngx.print(body)
            }
        }"""
CACHE = "open_file_cache max=1000;"


def find():
    """Returns (program, version)."""
    # Debian keeps it in sbin, which is not on every user's path.
    binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if binary is None:
        raise Missing("not installed: apt-get install nginx")
    asked = subprocess.run([binary, "-v"], capture_output=True, text=True).stderr
    version = re.search(r"nginx/(\S+)", asked)
    return binary, version.group(1) if version else ""


def command(binary, port, folder, root, cached):
    conf = folder / "nginx.conf"
    conf.write_text(CONF.format(
        port=port, folder=folder, root=root, cache=CACHE if cached else "",
        modules="".join(f"load_module {path};" for path in MODULES) if HAS_LUA else "",
        body=BODY if HAS_LUA else ""))
    return [binary, "-p", folder, "-c", conf]

"""Node-RED, and its Dashboard 2.0, where they are installed: see README.md."""

import json
import os
import shutil

from drivers import PEER, SOURCE, WORK, Peer, peer, upgrades


@peer
class NodeRed(Peer):
    """mqtt in -> json -> websocket out; one endpoint per device, or one for all
    when a single subscriber watches every device."""

    name = "nodered"
    warmup = 2

    def flow(self, sc):
        everything = sc.joins == sc.devices > 1
        broker = {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": "127.0.0.1",
            "port": str(SOURCE),
            "clientid": "",
            "autoConnect": True,
            "usetls": False,
            "protocolVersion": "4",
            "keepalive": "60",
            "cleansession": True,
        }
        nodes = [{"id": "tab", "type": "tab", "label": "bench"}, broker]
        for name, topic in (
            [("all", "sensors/#")] if everything else [(f"dev{i}", f"sensors/dev{i}") for i in range(sc.devices)]
        ):
            nodes += [
                {
                    "id": f"in-{name}",
                    "type": "mqtt in",
                    "z": "tab",
                    "topic": topic,
                    "qos": str(sc.qos),
                    "datatype": "auto",
                    "broker": "broker",
                    "nl": False,
                    "rap": False,
                    "inputs": 0,
                    "wires": [[f"json-{name}"]],
                },
                {
                    "id": f"json-{name}",
                    "type": "json",
                    "z": "tab",
                    "property": "payload",
                    "action": "obj",
                    "pretty": False,
                    "wires": [[f"out-{name}"]],
                },
                {
                    "id": f"out-{name}",
                    "type": "websocket out",
                    "z": "tab",
                    "server": f"ws-{name}",
                    "client": "",
                    "wires": [],
                },
                {"id": f"ws-{name}", "type": "websocket-listener", "path": f"/ws/{name}", "wholemsg": "false"},
            ]
        return nodes

    def command(self, sc):
        home = f"{WORK}/run/{self.name}"
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        with open(f"{home}/flows.json", "w") as f:
            json.dump(self.flow(sc), f)
        with open(f"{home}/settings.js", "w") as f:
            f.write(f"""module.exports = {{
  uiHost: "127.0.0.1", uiPort: {PEER}, flowFile: "flows.json", credentialSecret: false,
  telemetry: {{ enabled: false, updateNotification: false }},
  logging: {{ console: {{ level: "warn", metrics: false, audit: false }} }},
  editorTheme: {{ tours: false }},
  // Dashboard 2.0 wants polling first, then the upgrade; wsdrain starts as WebSocket
  dashboard: {{ ioMiddleware: (socket, next) => next() }},
}};""")
        return ["node", f"{WORK}/nodered/node_modules/node-red/red.js", "--userDir", home]

    def path(self, sc):
        return "/ws/all" if sc.joins == sc.devices > 1 else "/ws/dev%d"

    def ready(self, sc):
        return upgrades(PEER, self.path(sc).replace("%d", "0"))

    def drain(self, sc):
        return ["--mode", "raw", "127.0.0.1", PEER, self.path(sc)]


@peer
class NodeRedDashboard(NodeRed):
    """Dashboard 2.0: mqtt in -> json -> one ui-template. It sends every message
    to every open dashboard, so only scenarios in which all see all are fair."""

    name = "nodered-dash"

    def supports(self, sc):
        return sc.joins == sc.devices or sc.devices == 1 or "Dashboard sends every device to every browser"

    def flow(self, sc):
        nodes = super().flow(sc)
        keep = [n for n in nodes if n["type"] in ("tab", "mqtt-broker", "mqtt in", "json")]
        for n in keep:
            if n["type"] == "json":
                n["wires"] = [["d-widget"]]
        return keep + [
            {
                "id": "d-base",
                "type": "ui-base",
                "name": "Bench",
                "path": "/dashboard",
                "appIcon": "",
                "includeClientData": True,
                "acceptsClientConfig": ["ui-notification", "ui-control"],
                "showPathInSidebar": False,
                "headerContent": "page",
                "navigationStyle": "default",
                "titleBarStyle": "default",
            },
            {"id": "d-theme", "type": "ui-theme", "name": "Default", "colors": {}, "sizes": {}},
            {
                "id": "d-page",
                "type": "ui-page",
                "name": "Page",
                "ui": "d-base",
                "path": "/page1",
                "icon": "home",
                "layout": "grid",
                "theme": "d-theme",
                "breakpoints": [],
                "order": 1,
                "className": "",
                "visible": "true",
                "disabled": "false",
            },
            {
                "id": "d-group",
                "type": "ui-group",
                "name": "Group",
                "page": "d-page",
                "width": "6",
                "height": "1",
                "order": 1,
                "showTitle": True,
                "className": "",
                "visible": "true",
                "disabled": "false",
                "groupType": "default",
            },
            {
                "id": "d-widget",
                "type": "ui-template",
                "z": "tab",
                "group": "d-group",
                "page": "",
                "ui": "",
                "name": "",
                "order": 1,
                "width": 0,
                "height": 0,
                "head": "",
                "templateScope": "local",
                "format": "<div>{{ msg.payload }}</div>",
                "storeOutMessages": True,
                "passthru": True,
                "resendOnRefresh": True,
                "className": "",
                "wires": [[]],
            },
        ]

    def command(self, sc):
        command = super().command(sc)
        os.symlink(f"{WORK}/nrdash/node_modules", f"{WORK}/run/{self.name}/node_modules")
        return command

    def path(self, sc):
        return "/dashboard/socket.io/?EIO=4&transport=websocket"

    def drain(self, sc):
        return ["--mode", "sio", "127.0.0.1", PEER, self.path(sc)]

"""Signal K and ThingsBoard Gateway, where they are installed: see README.md."""

import json
import os
import shutil
import socket
import time

from drivers import PEER, SINK, SINK_WS, SOURCE, WORK, Peer, mosquitto_conf, peer, upgrades


def mqtt_publish(port, topic, payload):
    """One QoS 0 message."""
    body = len(topic).to_bytes(2, "big") + topic.encode() + payload.encode()
    head, n = b"\x30", len(body)
    while n > 127:
        head, n = head + bytes([n & 127 | 128]), n >> 7
    with socket.create_connection(("127.0.0.1", port), 2) as s:
        s.sendall(b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01d")
        s.recv(4)
        s.sendall(head + bytes([n]) + body + b"\xe0\0")


def connected_to(port):
    """Is there an established connection to this local port?"""
    with open("/proc/net/tcp") as f:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01" for line in f)


@peer
class SignalK(Peer):
    """Fed with deltas over its own TCP interface (no broker, no MQTT work);
    browsers subscribe to one path per device with the policy "instant"."""

    name = "signalk"
    tcp = 21881
    warmup = 1

    def brokers(self, sc):
        return {}

    @property
    def env(self):
        return {
            "PORT": str(PEER),
            "TCPSTREAMPORT": str(self.tcp),
            "TCPSTREAMADDRESS": "127.0.0.1",
            "SIGNALK_NODE_CONFIG_DIR": f"{WORK}/run/signalk",
            "SIGNALK_DISABLE_SERVER_UPDATES": "true",
            "NMEA0183PORT": "21882",
            "DISABLEPLUGINS": "true",
        }

    def command(self, sc):
        home = f"{WORK}/run/signalk"
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        with open(f"{home}/loopback.js", "w") as f:  # it has no setting for the address
            f.write("""const net = require("net"), listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  return typeof port === "number" && typeof rest[0] !== "string"
    ? listen.call(this, port, "127.0.0.1", ...rest) : listen.call(this, port, ...rest);
};""")
        with open(f"{home}/settings.json", "w") as f:
            json.dump(
                {
                    "vessel": {"uuid": "urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d"},
                    "mdns": False,
                    "sslport": 0,
                    "ssl": False,
                    "pipedProviders": [],
                    "interfaces": {
                        "nmea-tcp": False,
                        "appstore": False,
                        "mfd_webapp": False,
                        "providers": True,
                        "tcp": True,
                    },
                },
                f,
            )
        return [
            "node",
            "-r",
            f"{home}/loopback.js",
            f"{WORK}/signalk/node_modules/signalk-server/bin/signalk-server",
            "-c",
            home,
        ]

    def publish(self, sc):
        return ("127.0.0.1", self.tcp, "line", "-", "signalk")

    def ready(self, sc):
        return upgrades(PEER, "/signalk/v1/stream?subscribe=none&sendMeta=none")

    def drain(self, sc):
        one = '{"context":"vessels.self","subscribe":[{"path":"sensors.dev%d.reading","policy":"instant"}]}'
        return [
            "--mode",
            "raw",
            "--event",
            one,
            "127.0.0.1",
            PEER,
            "/signalk/v1/stream?subscribe=none&sendMeta=none&sendCachedValues=false",
        ]


@peer
class ThingsBoard(Peer):
    """Ingest only: MQTT connector in, its platform output into a second broker,
    where the drain subscribes to v1/gateway/telemetry."""

    name = "thingsboard"

    def supports(self, sc):
        return sc.name.startswith(("ingest-", "max", "smoke")) or "ThingsBoard Gateway has no browser side"

    def brokers(self, sc):
        return {
            **super().brokers(sc),
            "sink": mosquitto_conf(
                f"{WORK}/run/sink.conf",
                f"listener {SINK} 127.0.0.1",
                f"listener {SINK_WS} 127.0.0.1",
                "protocol websockets",
            ),
        }

    @property
    def env(self):
        return {"TB_GW_CONFIG_DIR": f"{WORK}/run/tb/", "TB_GW_LOGS_PATH": f"{WORK}/run/tb/logs"}

    def command(self, sc):
        home = f"{WORK}/run/tb"
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(f"{home}/logs")
        self.cwd = home
        packaged = f"{WORK}/tbvenv/lib/python3.11/site-packages/thingsboard_gateway/config"
        with open(f"{packaged}/tb_gateway.json") as f:
            main = json.load(f)
        main["thingsboard"].update(
            host="127.0.0.1",
            port=SINK,
            remoteConfiguration=False,
            statistics={"enable": False},
            **{k: "0:0," for k in main["thingsboard"] if k.endswith("ateLimits")},
        )
        main["connectors"] = [{"type": "mqtt", "name": "MQTT", "configuration": "mqtt.json"}]
        series = [
            {"type": "double", "key": k, "value": "${%s}" % v}
            for k, v in (("pts", "ts"), ("temperature", "temperature"), ("humidity", "humidity"))
        ]
        mqtt = {
            "broker": {
                "host": "127.0.0.1",
                "port": SOURCE,
                "clientId": "tbgw",
                "version": 5,
                "maxMessageNumberPerWorker": 10,
                "maxNumberOfWorkers": 100,
                "security": {"type": "anonymous"},
            },
            "mapping": [
                {
                    "topicFilter": "sensors/+",
                    "subscriptionQos": sc.qos,
                    "converter": {
                        "type": "json",
                        "deviceInfo": {
                            "deviceNameExpressionSource": "topic",
                            "deviceNameExpression": "(?<=sensors/)(.*)",
                            "deviceProfileExpressionSource": "constant",
                            "deviceProfileExpression": "default",
                        },
                        "sendDataOnlyOnChange": False,
                        "timeout": 60000,
                        "attributes": [],
                        "timeseries": series,
                    },
                }
            ],
            "requestsMapping": {},
        }
        for name, data in (("tb_gateway.json", main), ("mqtt.json", mqtt)):
            with open(f"{home}/{name}", "w") as f:
                json.dump(data, f)
        with open(f"{packaged}/logs.json") as f:
            logs = json.load(f)
        for logger in logs["loggers"].values():
            logger["level"] = "ERROR"
        with open(f"{home}/logs.json", "w") as f:
            json.dump(logs, f)
        return [f"{WORK}/tbvenv/bin/python", "-c", "from thingsboard_gateway.tb_gateway import main; main()"]

    def ready(self, sc):  # no browser side: the moment it reaches its source
        return connected_to(SOURCE)

    def warm_up(self, sc):
        """It sends nothing before its platform has answered the request for its
        limits: answer as a ThingsBoard without limits does."""
        for _ in range(6):
            time.sleep(1)
            mqtt_publish(
                SINK,
                "v1/devices/me/rpc/response/1",
                json.dumps(
                    {
                        "rateLimits": {"messages": ""},
                        "gatewayRateLimits": {},
                        "maxInflightMessages": 100,
                        "maxPayloadSize": 65536,
                    }
                ),
            )

    def drain(self, sc):
        return [
            "--mode",
            "mqttws",
            "--event",
            "v1/gateway/telemetry",
            "--needle",
            '"pts":',
            "--joins",
            1,
            "127.0.0.1",
            SINK_WS,
            "/mqtt",
        ]

--- Python's paho-mqtt. Its connect() returns when the socket is connected; on_connect comes with the broker's answer.
return require("lunet.peer.python").client {
  library = "paho.mqtt.client",
  package = "python3-paho-mqtt",
  version_of = '__import__("paho.mqtt").mqtt.__version__',
  script = [[
client = paho.mqtt.client.Client()
client.on_disconnect = lambda *a: print("event: disconnect", a[2], flush=True)
print("connect() returned", client.connect(address, port, **options), flush=True)
print("loop_forever() returned", client.loop_forever(retry_first_connection=False), flush=True)]],
  waits = {
    default = { connect = 5 },
    answer = { option = "keepalive=3", connect = 5 },
  },
}

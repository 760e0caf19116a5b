--- kafkajs. It tries six times to connect, for a second each. The pauses between double, and chance makes each of them
--- up to a fifth shorter or longer than the one before asks for (kafkajs, src/retry).
return require("lunet.peer.node").client {
  library = "kafkajs",
  script = [[
  const { Kafka, logLevel } = require("kafkajs");
  const kafka = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, ...options });
  await kafka.admin().connect();
  await kafka.admin().listTopics();]],
  waits = {
    default = { connect = { 9.7, 26.3 }, answer = 60, connections = 2, ghosts = 0, status = "runs on" },
    connect = { option = "connectionTimeout: 3000, retry: { retries: 0 }", connect = 3 },
    answer = { option = "connectionTimeout: 3000, requestTimeout: 3000, retry: { retries: 0 }", connect = 3,
      answer = 3, ghosts = 0, status = "runs on", words = "timed out" },
  },
}

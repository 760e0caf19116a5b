local peer = require "spec.support.peer"

peer(_ENV, "java_http", {})

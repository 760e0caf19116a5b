local peer = require "spec.support.peer"

peer(_ENV, "beanstalkd", { meanwhile = "Too many open files", logged = "Too many open files" })

local peer = require "spec.support.peer"

peer(_ENV, "beanstalkd", { logged = "Too many open files" })

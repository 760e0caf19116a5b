local pool = require "spec.support.pool"

pool(_ENV, "apache_event", { says = "BusyWorkers: 1 GracefulWorkers: 0 IdleWorkers: 14" })

local peer = require "spec.support.peer"

-- A busy machine may let the first client leave before beanstalkd has tried to accept the second: then it logs nothing.
peer(_ENV, "beanstalkd", { logged = "" })

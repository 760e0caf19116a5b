local pool = require "spec.support.pool"

pool(_ENV, "uwsgi", { says = "%l+ %l+ %l+" })

local pool = require "spec.support.pool"

pool(_ENV, "php_fpm", { says = "idle processes: %d active processes: %d" })

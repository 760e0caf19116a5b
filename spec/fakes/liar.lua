return require "spec.support.fake_server"(true)

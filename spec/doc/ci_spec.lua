local page = require "spec.support.page"

page.test(_ENV, "doc/ci.md")

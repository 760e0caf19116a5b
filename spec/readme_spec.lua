local page = require "spec.support.page"

page.test(_ENV, "README.md")

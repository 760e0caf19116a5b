--- Assertions for busted on the kernel's view, with messages that show it. The expected value comes first. With
--- `eventually` an assertion waits up to 10 s for it: `assert.eventually.queue_depth(2, listener)`. `assert.is_not`
--- turns it round.
---@meta

---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local client <close> = assert(lunet.connect(listener, 60))
---@class luassert.internal
---@field eventually luassert waits for the assertion, up to 10 s
local luassert = {}

--- Asserts that a call succeeded, and returns its results.
---
---     local server <close> = assert.succeeds(listener:accept(60))
---     print(server:liveness()) --> open
---@param value any the call's first result
---@param message? string
---@param code? string
---@return any ... results of the call
function luassert.succeeds(value, message, code) end

--- Asserts that a call failed with a code.
---
---     assert.fails_with("TIMEOUT", client:receive("l", 0.01))
---     print(pcall(assert.fails_with, "EOF", client:receive("l", 0.01))) --> false  fails with: expected EOF, but...
---@param expected string the code
---@param value any the call's first result
---@param message? string
---@param code? string
function luassert.fails_with(expected, value, message, code) end

--- Asserts how many connections wait in a listener's queue.
---
---     assert.eventually.queue_depth(1, listener)
---     print(pcall(assert.queue_depth, 2, listener)) --> false  queue depth: expected 2, the kernel says 1...
---@param expected integer
---@param listener lunet.listener
function luassert.queue_depth(expected, listener) end

--- Asserts the limit of a listener's queue.
---
---     assert.queue_limit(5, listener)
---     print(pcall(assert.queue_limit, 2, listener)) --> false  queue limit: expected 2, the kernel says 5...
---@param expected integer
---@param listener lunet.listener
function luassert.queue_limit(expected, listener) end

--- Asserts what a connection knows of its peer, as connection:liveness says it.
---
---     local server <close> = assert(listener:accept(60))
---     client:close()
---     assert.eventually.liveness("fin", server)
---     print(pcall(assert.liveness, "open", server)) --> false  liveness: expected "open", the kernel says "fin"...
---@param expected "open"|"fin"|"reset"
---@param connection lunet.connection
function luassert.liveness(expected, connection) end

--- Asserts the state of a connection, as connection:state names it.
---
---     assert.tcp_state("ESTABLISHED", client)
---     print(pcall(assert.tcp_state, "CLOSE", client)) --> false  tcp state: expected "CLOSE", the kernel says...
---@param expected string
---@param connection lunet.connection
function luassert.tcp_state(expected, connection) end

--- Asserts how many sockets a host's kernel lists for a filter.
---
---     local host <close> = assert(lunet.host "server")
---     assert(host:listen { backlog = 5 })
---     assert.socket_count(1, host, { state = "LISTEN" })
---     print(pcall(assert.socket_count, 2, host)) --> false  socket count: expected 2, server has 1...
---@param expected integer
---@param host lunet.host
---@param filter? lunet.socket_filter
function luassert.socket_count(expected, host, filter) end

--- Asserts that exactly these segments come next, in this order; waits for them, up to 10 s.
---
---     local host <close> = assert(lunet.host "server")
---     local capture = assert(host:capture())
---     assert.fails_with("ECONNREFUSED", host:connect("127.0.0.1:7300", 60))
---     print(#assert.segments({ "SYN", "RST", only = { direction = "out" } }, capture)) --> 2
---@param expected (string|lunet.expected_segment)[]
---@param capture lunet.capture
function luassert.segments(expected, capture) end

--- Asserts by how much counters of a host have moved.
---
---     local host <close> = assert(lunet.host "server")
---     local before = host:counters()
---     assert.fails_with("ECONNREFUSED", host:connect("127.0.0.1:7300", 60))
---     print(pcall(assert.moved, { AttemptFails = 2 }, before, host)) --> false  moved: expected { Attempt...
---@param expected table<string, integer> by the kernel's name of the counter
---@param before table<string, integer> an earlier host:counters()
---@param host lunet.host
function luassert.moved(expected, before, host) end

--- The text of a rule for nftables (nft(8)): chains that find segments, and mark, count and lose them. The core adds
--- them to a table of the host's firewall.
local address = require "lunet.network.address"
local core = require "lunet.core"

local rule_text = {}

-- nftables can read the byte after the TCP header only if the segment has data. The place of that byte depends on the
-- header's length, in words; nftables' own name for it, @ih, needs Linux 5.16.
local SHORTEST, LONGEST = 5, 15

local function if_data(verdict)
  local lines = {}
  for words = SHORTEST, LONGEST do
    lines[#lines + 1] = ("tcp doff %d @th,%d,8 >= 0 %s"):format(words, 32 * words, verdict)
  end
  return table.concat(lines, "\n")
end

--- By kind of segment: the rule for it.
---@type table<string, string>
rule_text.KINDS = {
  any = "goto lose",
  SYN = "tcp flags & (syn | ack) == syn goto lose",
  ["SYN-ACK"] = "tcp flags & (syn | ack) == (syn | ack) goto lose",
  FIN = "tcp flags & fin == fin goto lose",
  RST = "tcp flags & rst == rst goto lose",
  data = if_data "goto lose",
  ACK = "tcp flags & (syn | ack | fin | rst) == ack goto bare", -- the last one, since it may end the search
}
local order = { "any", "SYN", "SYN-ACK", "FIN", "RST", "data", "ACK" }

--- By the name of an answer: the rule for it.
---@type table<string, string>
rule_text.REJECTS = {
  reset = "reject with tcp reset",
  unreachable = "reject with icmpx type port-unreachable",
  ["host-unreachable"] = "reject with icmpx type host-unreachable",
  prohibited = "reject with icmpx type admin-prohibited",
}

--- `numgen` counts modulo 2^32 - 1.
rule_text.MOST_FIRST = 0xfffffffe

-- The name of an address's family in nft(8).
local function family_of(text) return address.is_ipv6(text) and "ip6" or "ip" end

local MARK = ("0x%x"):format(core.lost_mark)

local function chain(name, ...)
  return ("chain %s {\n%s\n}\n"):format(name, table.concat({ ... }, "\n"))
end

-- Marks the segments to lose; the chains of the hooks lose them. Otherwise a rule that answers by RST would meet its
-- own answers on the loopback.
local function lose_chain(first, is_reset)
  local condition = is_reset and "tcp flags & rst == 0 " or ""
  if first then condition = condition .. ("numgen inc mod %d < %d "):format(rule_text.MOST_FIRST + 1, first) end
  return chain("lose", condition .. "counter meta mark set " .. MARK)
end

local function kinds_chain(wanted)
  local lines = {}
  for _, name in ipairs(order) do
    if wanted[name] then lines[#lines + 1] = rule_text.KINDS[name] end
  end
  return chain("bare", if_data "return", "goto lose") .. chain("kinds", table.unpack(lines))
end

local function ends_of(from, to, from_port, to_port, state)
  local words = { "meta l4proto tcp" }
  local function add(format, ...) words[#words + 1] = format:format(...) end
  if state then add("ct state %s", state) end
  if from then add("%s saddr %s", family_of(from), from) end
  if to then add("%s daddr %s", family_of(to), to) end
  if from_port then add("tcp sport %d", from_port) end
  if to_port then add("tcp dport %d", to_port) end
  return table.concat(words, " ")
end

local function judge_chain(ends, port)
  if not port then return chain("judge", ends .. " goto kinds") end
  return chain("judge", ends .. (" tcp sport %d goto kinds"):format(port),
    ends .. (" tcp dport %d goto kinds"):format(port))
end

local HOOK = "type %s hook %s priority raw"

local DROP = ("meta mark %s drop"):format(MARK)

-- On the way in, dropping a segment loses it.
local function input_chain(answer)
  return chain("input", HOOK:format("filter", "input"), DROP, "jump judge",
    answer and ("meta mark %s %s"):format(MARK, answer) or DROP)
end

-- TCP notices a drop on the way out, and takes the segment as never sent. So the mark sends it to the loopback instead,
-- and the rule drops it there on its way in. Another rule may have marked it already. No route leads a link-local
-- address to the loopback (RFC 4007, 9), so TCP does notice those. A new address in place of the mark would need root
-- from Linux 7.2 on: others may not let nftables change a segment.
local function output_chain(answer)
  local if_marked = ("meta mark %s "):format(MARK)
  if answer then
    return chain("output", HOOK:format("filter", "output"), if_marked .. "accept", "jump judge", if_marked .. answer)
  end
  return chain("output", HOOK:format("route", "output"), if_marked .. "accept", "jump judge")
    .. chain("arrive", HOOK:format("filter", "prerouting"), DROP)
    .. chain("leave", HOOK:format("filter", "postrouting"), if_marked .. 'meta oifname != "lo" drop')
end

-- The kernel forwards no segment that is dropped here, and its sender does not notice.
local function forward_chain(answer)
  local hook = HOOK:format("filter", "forward")
  return chain("forward", hook, "jump judge", ("meta mark %s %s"):format(MARK, answer or "drop"))
end

---@class lunet.rule_words the checked options of a rule
---@field hooks {input: boolean?, output: boolean?, forward: boolean?}
---@field state? "invalid"
---@field kinds table<string, true> a set, of KINDS
---@field first? integer the rule loses only so many
---@field reject? string of REJECTS
---@field port? integer either port
---@field from? string
---@field to? string
---@field from_port? integer
---@field to_port? integer

--- Whether a rule needs the routes by which marked segments go to the loopback.
---@param words lunet.rule_words
---@return boolean
function rule_text.diverts(words) return words.hooks.output ~= nil and not words.reject end

--- The chains of a rule.
---@param words lunet.rule_words
---@return string
function rule_text.chains(words)
  local answer = words.reject and rule_text.REJECTS[words.reject]
  local ends = ends_of(words.from, words.to, words.from_port, words.to_port, words.state)
  return lose_chain(words.first, words.reject == "reset") .. kinds_chain(words.kinds)
    .. judge_chain(ends, words.port) .. (words.hooks.input and input_chain(answer) or "")
    .. (words.hooks.output and output_chain(answer) or "")
    .. (words.hooks.forward and forward_chain(answer) or "")
end

--- A chain without effect: it shows whether a kernel takes an expression.
---@param expression string
---@return string
function rule_text.probe(expression) return chain("probe", expression) end

return rule_text

local function is_tried_again(row) return row.timer == "retransmit" or row.timer == "probe" end

local TRIES <const> = {
  why = "a tail loss probe may come before the first retransmission, and so one try more in the same time",
  when = is_tried_again,
}
local ANSWERS <const> = {
  why = "the peer answers one probe in 500 ms, and whether the second comes sooner hangs on the round trip",
  when = function(row) return row.timer == "probe" end,
}

return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
    rto = "it says how slow the first round trip was, and only keeps from judging a time that this made longer",
    ["ended[].tries"] = TRIES, ["endless[].tries"] = TRIES,
    ["ended[].answers"] = ANSWERS, ["endless[].answers"] = ANSWERS,
  },
}

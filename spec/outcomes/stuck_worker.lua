local LATE <const> = "counts clients that a busy machine answered late: they do not hang, and the claim is not of them"

return { shown = { ["first[].late"] = LATE, ["retries[].late"] = LATE } }

---@meta

--- A wire of the core, which forwards the frames of a network. network/ calls its methods for the script.
---@class lunet.wire
---@field [string] fun(...): any

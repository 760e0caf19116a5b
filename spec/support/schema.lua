local program = require "spec.support.program"

--- Checks each line of a file, or the file as a whole, by a JSON schema of doc/.
---@param schema string the name of the schema's file in doc/; "FILE#/$defs/NAME" is a part of it
---@param path string
---@param is_whole? boolean
---@return {status: integer, output: string, errors: string} complaints their text is empty if all is valid
return function(schema, path, is_whole)
  local file, part = schema:match "^([^#]*)(#?.*)$"
  return program.shell(([[exec python3 -c '
import json, jsonschema
whole, part = json.load(open("%s/doc/%s")), "%s"
if part: whole = {"$ref": part, "$defs": whole["$defs"]}
check = jsonschema.Draft202012Validator(whole)
content = open("%s")
for number, text in enumerate([content.read()] if %s else content, 1):
    for error in check.iter_errors(json.loads(text)):
        print(number, text.strip()[:300], error.message[:300])
']]):format(os.getenv "LUNET_SOURCE", file, part, path, is_whole and "True" or "False"))
end

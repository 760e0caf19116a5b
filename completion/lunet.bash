# shellcheck shell=bash
# bash completes lunet's options, commands, experiments, knobs and their values. It reads them from the helps that lunet
# prints. bash-completion(7) loads this file; without that package, `source` it.

# _lunet_help WORD...: lines of a help: an option or an entry, a tab, its meaning. A script is loaded only if it mentions
# the module of experiments, since loading any other script runs it.
_lunet_help() {
  timeout 20 "$_lunet_program" "$@" --help 2>/dev/null </dev/null | awk '
    function tell() { if (name != "") print name "\t" meaning; name = "" }
    /^  ?(-|lunet )/ || /^   --?[^ ]/ {
      tell()
      sub(/^ +/, "")
      at = match($0, /  +/)
      if (at) { name = substr($0, 1, at - 1); meaning = substr($0, at + RLENGTH) }
      else if (substr($0, 22, 1) == " ") { name = substr($0, 1, 21); meaning = substr($0, 23) }
      else { name = $0; meaning = "" }
      next
    }
    name != "" && /^       *[^ ]/ { sub(/^ +/, ""); meaning = meaning " " $0; next }
    { tell() }
    END { tell() }'
}

# Prints the options in lines of _lunet_help.
_lunet_options() {
  awk -F'\t' '/^-/ { n = split($1, word, /,? /); for (i = 1; i <= n; i++) if (word[i] ~ /^-./) print word[i] }'
}

# _lunet_values OPTION: prints what may follow the option, by lines of _lunet_help: "-" for nothing, "FILES" for a file's
# name, or the values that its meaning lists.
_lunet_values() {
  awk -F'\t' -v option="$1" '
    { n = split($1, word, /,? /) }
    word[1] != option && word[2] != option { next }
    n == 1 || word[n] ~ /^-/ { print "-"; exit }
    word[n] ~ /^\[?(FILE|DIR)/ { print "FILES"; exit }
    word[n] == "LEVEL" { print "none kernel segments"; exit }
    $2 ~ /; true or false\)/ { print "true false"; exit }
    match($2, /; one of [^)]*/) { list = substr($2, RSTART + 9, RLENGTH - 9); gsub(/,/, "", list); print list; exit }
    { print ""; exit }'
}

# Whether lunet can be asked for the help of a script or directory without running it.
_lunet_has_help() { [[ -d $1 ]] || { [[ -f $1 ]] && grep -q 'lunet\.experiment' -- "$1"; }; }

_lunet_unquote() { printf '%s' "${1//\\/}" | sed -e "s,^~/,$HOME/," -e "s/[\"']//g"; }

# _lunet_reply_files WORD [PATTERN]: directories, and the files that match.
_lunet_reply_files() {
  compopt -o filenames
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$1"; compgen -f -X "!${2-*}" -- "$1")
}

# _lunet_reply_scripts WORD: directories, scripts, and the experiments of the installation whose names begin so.
_lunet_reply_scripts() {
  local place
  _lunet_reply_files "$1" '*.lua'
  [[ -n $1 && $1 != */* ]] || return 0
  place=$("$_lunet_program" --help 2>/dev/null | sed -n 's/^Experiments: //p')
  [[ -n $place ]] || return 0
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(find -L "$place" -name "$1*.lua" | sort)
}

# _lunet_reply WORD CHOICE...
_lunet_reply() {
  local word=$1
  shift
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$*" -- "$word")
}

# _lunet_script WORD...: the first word that is an experiment or a directory.
_lunet_script() {
  local word
  for word; do
    word=$(_lunet_unquote "$word")
    if _lunet_has_help "$word"; then printf '%s' "$word" && return; fi
  done
  return 1
}

# _lunet_own_words WORD...: how many of the words are options of the interpreter's, with their values.
_lunet_own_words() {
  local count=0
  while [[ ${1-} == -?* && $1 != --kernel && $1 != --virtual-time ]]; do
    if [[ $1 == -[el] && $# -gt 1 ]]; then count=$((count + 1)) && shift; fi
    count=$((count + 1))
    shift
  done
  echo "$count"
}

# _lunet_find_help WORD...: sets `help` to the one that lists what may come after these words, and `takes` to what a word
# without a dash is: "script", "files" or nothing.
_lunet_find_help() {
  local script
  takes=
  case $1 in
    sweep)
      if script=$(_lunet_script "${@:2}"); then help=$(_lunet_help sweep "$script"); else help=$(_lunet_help sweep) takes=script; fi
      ;;
    --kernel | --virtual-time)
      if script=$(_lunet_script "${@:2}"); then help=$(_lunet_help "$script"); else help=$(_lunet_help --kernel) takes=script; fi
      ;;
    *)
      script=$(_lunet_unquote "$1")
      if _lunet_has_help "$script"; then help=$(_lunet_help "$script");
      elif [[ -e $script || $script == */* ]]; then help='' takes=files;
      else help=$(_lunet_help "$script"); fi
      ;;
  esac
}

# _lunet_first WORD: what may come first.
_lunet_first() {
  local help
  help=$(_lunet_help)
  if [[ $1 == -* ]]; then
    _lunet_reply "$1" "$(_lunet_options <<<"$help")" "$(sed -n 's/^lunet \(--[a-z-]*\)\t.*/\1/p' <<<"$help")"
  else
    _lunet_reply "$1" "$(sed -n 's/^lunet \([a-z]*\)\t.*/\1/p' <<<"$help")"
    _lunet_reply_scripts "$1"
  fi
}

# _lunet_later WORD BEFORE...: what may come after a script or a command.
_lunet_later() {
  local value=$1 option='' help takes values
  shift
  _lunet_find_help "$@"
  case $value in
    --*=*) option=${value%%=*} value=${value#*=} ;;
    -*) _lunet_reply "$value" "$(_lunet_options <<<"$help")" && return ;;
    *) [[ $# -eq 1 || ${!#} != --?* || ${!#} == *=* ]] || option=${!#} ;;
  esac
  values=$(if [[ -n $option ]]; then _lunet_values "$option" <<<"$help"; else echo -; fi)
  case $values,$takes in
    -,script) _lunet_reply_scripts "$value" ;;
    -,files | FILES,*) _lunet_reply_files "$value" ;;
    -,*) ;;
    *) _lunet_reply "$value" "$values" ;;
  esac
}

_lunet() {
  local _lunet_program words=() word value
  _lunet_program=$(_lunet_unquote "$1")
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do # --knob=value comes as three words
    if [[ ${#words[@]} -gt 0 && (${words[-1]} == --*= || ($word == = && ${words[-1]} == --*)) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  value=${words[-1]}
  unset 'words[-1]'
  [[ ${#words[@]} -eq 0 || ${words[-1]} != -[el] ]] || return 0 # any text
  words=("${words[@]:$(_lunet_own_words "${words[@]}")}")
  if [[ ${#words[@]} -eq 0 ]]; then _lunet_first "$value"; else _lunet_later "$value" "${words[@]}"; fi
}

complete -F _lunet lunet

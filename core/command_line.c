#include "command_line.h"

#include <lua.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <uv.h>

#include "command.h"
#include "library.h"

static const char usage[] =
  "usage: lunet [options] [script | directory | command [arguments]]\n"
  "  -e STAT        run the Lua statement STAT\n"
  "  -l NAME        require the module NAME into the global NAME\n"
  "  -l G=NAME      require the module NAME into the global G\n"
  "  -i             start the prompt after the script\n"
  "  -v, --version  print the versions of lunet, Lua, libuv and the kernel\n"
  "  -E             ignore the environment: LUA_INIT, LUA_PATH, LUA_CPATH\n"
  "  -W             turn warnings on\n"
  "  -h, --help     print this text\n"
  "  --             end the options\n"
  "  -              end the options, and read the script from standard input\n"
  "Without a script, lunet reads one from standard input, or starts the prompt on a terminal.\n"
  "\n"
  "If a script returns an experiment, lunet runs it and shows its timeline, outcome and verdict.\n"
  "  lunet FILE --help          list the knobs of the experiment in FILE\n"
  "  lunet FILE --KNOB VALUE    run it with one knob set\n"
  "  lunet DIRECTORY            run its experiments, several at a time, and print a table\n"
  "  lunet DIRECTORY --help     list the options for directories\n"
  "\n"
  "If the first word is a command, lunet runs it; write ./COMMAND for a file of that name.\n";

static const char usage_end[] =
  "  lunet COMMAND --help       list the options of a command\n"
  "\n"
  "Exit status: 0 the script succeeded, the claim holds; 1 it failed, the claim does not hold;\n"
  "2 wrong use; 3 the experiment could not run, or output was lost; 4 the claim is not judged;\n"
  "130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.\n";

enum { OPTIONS_END = 0, OPTION_UNKNOWN = '?', OPTION_NEEDS_VALUE = ':' };

static int command_line_find_long(const char *word) {
  static const struct {
    const char *word;
    int letter;
  } names[] = {{"--help", 'h'}, {"--version", 'v'}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(word, names[i].word) == 0) return names[i].letter;
  return OPTION_UNKNOWN;
}

/* Reads -eSTAT or -e STAT. A next word that looks like an option is not the value. */
static int command_line_take_value(char **words, int *at, const char **value) {
  char *word = words[*at];
  if (word[2] != '\0') {
    *value = word + 2;
  } else {
    *value = words[*at + 1];
    if (*value == NULL || **value == '-') return OPTION_NEEDS_VALUE;
    *at += 1;
  }
  *at += 1;
  return word[1];
}

/* Reads the option at words[*at] and moves *at past it. A wrong option leaves *at. */
static int command_line_next(char **words, int *at, const char **value) {
  const char *word = words[*at];
  if (word == NULL || word[0] != '-' || word[1] == '\0') return OPTIONS_END;
  if (strchr("el", word[1]) != NULL) return command_line_take_value(words, at, value);
  if (word[1] == '-' && word[2] != '\0') {
    if (command_module(word) != NULL) return OPTIONS_END;
    int letter = command_line_find_long(word);
    if (letter != OPTION_UNKNOWN) *at += 1;
    return letter;
  }
  if (word[2] != '\0' || strchr("-ivEWh", word[1]) == NULL) return OPTION_UNKNOWN;
  *at += 1;
  return word[1] == '-' ? OPTIONS_END : word[1];
}

/* Escapes control characters, which a terminal would obey, and bytes beyond ASCII, which no option
 * contains. */
static void command_line_print_word(const char *word) {
  for (const char *at = word; *at != '\0'; at++) {
    if (*at >= ' ' && *at <= '~')
      putc(*at, stderr);
    else
      fprintf(stderr, "\\x%02x", (unsigned char)*at);
  }
}

void command_line_print_usage(FILE *out) {
  fputs(usage, out);
  command_print_all(out);
  fputs(usage_end, out);
  library_print_places(out);
}

static void command_line_complain(const char *word, int trouble) {
  fputs(trouble == OPTION_NEEDS_VALUE ? "lunet: '" : "lunet: unrecognized option '", stderr);
  command_line_print_word(word);
  fputs(trouble == OPTION_NEEDS_VALUE ? "' needs an argument\n" : "'\n", stderr);
  command_line_print_usage(stderr);
}

bool command_line_read(command_line *line, int count, char **words) {
  *line = (command_line){.words = words, .count = count, .script = count};
  const char *value;
  int letter;
  int at = count > 0 ? 1 : 0; /* execve(2) allows an empty argv */
  while ((letter = command_line_next(words, &at, &value)) != OPTIONS_END) {
    switch (letter) {
    case 'h': line->help = true; break;
    case 'i': line->interactive = line->version = true; break;
    case 'v': line->version = true; break;
    case 'E': line->ignores_environment = true; break;
    case 'e': line->has_statement = true; break;
    case OPTION_UNKNOWN:
    case OPTION_NEEDS_VALUE: command_line_complain(words[at], letter); return false;
    default: break; /* acts in its turn */
    }
  }
  line->script = at;
  return true;
}

bool command_line_next_action(const command_line *line, int *at, command_line_action *out) {
  while (*at < line->script) {
    out->value = NULL;
    out->letter = command_line_next(line->words, at, &out->value);
    if (out->letter == OPTIONS_END) return false;
    if (strchr("elW", out->letter) != NULL) return true;
  }
  return false;
}

bool command_line_has_script(const command_line *line) { return line->script < line->count; }

const char *command_line_script_file(const command_line *line) {
  if (!command_line_has_script(line)) return NULL;
  char **name = line->words + line->script;
  bool is_input = strcmp(name[0], "-") == 0 && strcmp(name[-1], "--") != 0;
  return is_input ? NULL : name[0];
}

void command_line_print_version(void) {
  struct utsname kernel;
  uname(&kernel); /* fails only on a bad pointer */
  printf("lunet %s, %s, libuv %s, %s %s\n", LUNET_VERSION, LUA_RELEASE, uv_version_string(),
         kernel.sysname, kernel.release);
  fflush(stdout);
}

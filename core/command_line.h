/* The interpreter's own part of the command line: everything before the script's arguments. */
#ifndef LUNET_COMMAND_LINE_H
#define LUNET_COMMAND_LINE_H

#include <stdbool.h>

typedef struct command_line {
  char **words;             /* the program's argv */
  int count;                /* how many words */
  int script;               /* index of the script's name; count when there is none */
  bool help;                /* -h */
  bool version;             /* -v, or -i, which announces itself */
  bool interactive;         /* -i */
  bool ignores_environment; /* -E */
  bool has_statement;       /* -e: without a script, standard input is left alone */
} command_line;

/* One option that acts in its turn, in the order given: -e, -l or -W. */
typedef struct command_line_action {
  int letter;
  const char *value; /* the text after -e or -l */
} command_line_action;

/* False, after saying why on stderr, when the words make no sense. */
bool command_line_read(command_line *line, int count, char **words);

/* Call with *at = 1 first; false when the options end. */
bool command_line_next_action(const command_line *line, int *at, command_line_action *out);

bool command_line_has_script(const command_line *line);

/* The script's file, NULL for standard input. */
const char *command_line_script_file(const command_line *line);

void command_line_print_usage(void);   /* on stdout */
void command_line_print_version(void); /* on stdout */

#endif

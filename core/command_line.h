/* The interpreter's own part of the command line: the words before the script's arguments. */
#ifndef LUNET_COMMAND_LINE_H
#define LUNET_COMMAND_LINE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct command_line {
  char **words;             /* the program's argv */
  int count;                /* how many words */
  int script;               /* index of the script's name; `count`: there is no script */
  bool help;                /* -h */
  bool version;             /* -v or -i: -i prints the version first */
  bool interactive;         /* -i */
  bool ignores_environment; /* -E */
  bool has_statement;       /* -e: without a script, standard input is not read */
} command_line;

/* An option that acts in the order given: -e, -l or -W. */
typedef struct command_line_action {
  int letter;
  const char *value; /* the text after -e or -l */
} command_line_action;

/* False: an option is wrong, and stderr says which. */
bool command_line_read(command_line *line, int count, char **words);

/* Start with *at = 1. False: there are no more options. */
bool command_line_next_action(const command_line *line, int *at, command_line_action *out);

bool command_line_has_script(const command_line *line);

/* The script's file; NULL: standard input. */
const char *command_line_script_file(const command_line *line);

void command_line_print_usage(FILE *out);
void command_line_print_version(void); /* on stdout */

#endif

/* Surveys of the accept queues of a host, and the holders of sockets, as plain tables. */
#ifndef LUNET_BINDING_SURVEY_H
#define LUNET_BINDING_SURVEY_H

#include <lua.h>

int survey_push(lua_State *L);        /* core.survey(host or nil) */
int survey_push_owners(lua_State *L); /* core.socket_owners({inode, ...}) */

#endif

#pragma once
/*
 * protocol-source: the methods of the protocol as people write them (supervisor/front/protocol/README says how),
 * read and made JSON Schemas. Part of a program of the build: what is wrong ends it, with a sentence.
 */
#include "base/json.h"

typedef struct Protocol {
        cJSON *shapes; /* owned, as all: by name a JSON Schema */
        cJSON *pages;  /* by name of a shape the page that describes it: its members are not ours */
        cJSON *methods; /* by name: as it stands in its file, "params" and "result" as JSON Schemas */
        cJSON *notifications; /* the same */
} Protocol;

#define PROTOCOL_SHAPES "#/components/schemas/"

/** protocol_die() - say what is wrong, and end with 1 */
__attribute__((noreturn, format(printf, 1, 2))) void protocol_die(const char *format, ...);

/** protocol_read_file() - JSON of a file; ends the program where there is none */
cJSON *protocol_read_file(const char *path);

/** protocol_load() - read @n files; a shape with "file" is the one of @schemas that is called so */
void protocol_load(Protocol *ret, char *const *paths, int n, const cJSON *schemas);
/** protocol_deinit() - release it */
void protocol_deinit(Protocol *protocol);

/** protocol_shape_name() - the name that a "$ref" of @schema leads to, borrowed; NULL: it has none */
const char *protocol_shape_name(const cJSON *schema);
/** protocol_needs() - is a member of an object's schema always there */
bool protocol_needs(const cJSON *schema, const char *name);

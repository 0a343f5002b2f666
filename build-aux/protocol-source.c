/*
 * protocol-source: see protocol-source.h.
 *
 * A member is "TYPE: what it is". A TYPE is one or more of these, with "|" between them:
 *
 *   text, text 1..64        characters               number, number 1..64   from 0 on
 *   int, flag, any, null, object                     =in,out                one of these words
 *   [TYPE], [TYPE] 1..8     a list                   {TYPE}                 an object with any names
 *   Name                    a shape
 */
#include "build-aux/protocol-source.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"

#define FILE_MAX_BYTES (1u << 20)
#define TYPE_MAX       512

void protocol_die(const char *format, ...) {
        va_list args;

        va_start(args, format);
        (void) fprintf(stderr, "make-protocol: ");
        (void) vfprintf(stderr, format, args);
        (void) fprintf(stderr, "\n");
        va_end(args);
        exit(1);
}

cJSON *protocol_read_file(const char *path) {
        autofree char *text = malloc(FILE_MAX_BYTES);
        FILE *file = fopen(path, "re");
        Error err = ERROR_EMPTY;
        cJSON *json = NULL;
        size_t n;

        if (!file || !text)
                protocol_die("%s: %s", path, strerror(errno));
        n = fread(text, 1, FILE_MAX_BYTES, file);
        (void) fclose(file);
        if (n == FILE_MAX_BYTES || json_parse(text, n, JSON_COMMENTS, &json, &err) < 0)
                protocol_die("%s: %s", path, *err.text ? err.text : "too long");
        return json;
}

/* ---- a TYPE -------------------------------------------------------------------------------------- */

typedef struct Place { /* what a message names */
        const char *of;
        const char *member;
} Place;

static cJSON *type_new(const Place *place, const char *text);

static cJSON *of_type(const char *type) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "type", type);
        return json;
}

/* "1..64", "1..", "..64", "": members @least and @most of @json */
static void add_range(const Place *place, cJSON *json, const char *text, const char *least,
                      const char *most) {
        const char *dots = strstr(text, "..");

        while (*text == ' ')
                text++;
        if (!*text)
                return;
        if (!dots)
                protocol_die("%s, %s: \"%s\" is no range", place->of, place->member, text);
        if (dots > text)
                json_add_consume(json, least, cJSON_CreateNumber(strtod(text, NULL)));
        if (dots[2])
                json_add_consume(json, most, cJSON_CreateNumber(strtod(dots + 2, NULL)));
}

static cJSON *words_new(const char *text) {
        char words[TYPE_MAX], *rest = NULL;
        cJSON *json = cJSON_CreateObject(), *list = json_add_array(json, "enum");

        (void) snprintf(words, sizeof words, "%s", text);
        for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
                json_push_text(list, word);
        return json;
}

/* [TYPE] 1..8 and {TYPE} */
static cJSON *container_new(const Place *place, const char *text) {
        bool list = *text == '[';
        const char *end = strrchr(text, list ? ']' : '}');
        autofree char *inner = end ? strndup(text + 1, (size_t) (end - text) - 1) : NULL;
        cJSON *json = of_type(list ? "array" : "object");

        if (!inner)
                protocol_die("%s, %s: \"%s\" has no end", place->of, place->member, text);
        json_add_consume(json, list ? "items" : "additionalProperties", type_new(place, inner));
        add_range(place, json, end + 1, "minItems", "maxItems");
        return json;
}

static cJSON *ref_new(const char *name) {
        char pointer[128];
        cJSON *json = cJSON_CreateObject();

        (void) snprintf(pointer, sizeof pointer, PROTOCOL_SHAPES "%s", name);
        json_add_text(json, "$ref", pointer);
        return json;
}

static cJSON *simple_new(const Place *place, const char *text) {
        static const struct {
                const char *word, *type, *least, *most;
        } simple[] = {
                { "text", "string", "minLength", "maxLength" },
                { "number", "integer", "minimum", "maximum" },
                { "int", "integer", "minimum", "maximum" },
                { "flag", "boolean", "", "" },
                { "null", "null", "", "" },
                { "object", "object", "", "" },
                { "any", NULL, "", "" },
        };
        size_t n = strcspn(text, " ");

        for (unsigned i = 0; i < ELEMENTS(simple); i++) {
                cJSON *json;

                if (strlen(simple[i].word) != n || strncmp(simple[i].word, text, n) != 0)
                        continue;
                json = simple[i].type ? of_type(simple[i].type) : cJSON_CreateObject();
                add_range(place, json, text + n, simple[i].least, simple[i].most);
                if (strcmp(simple[i].word, "number") == 0 && !json_get(json, "minimum"))
                        json_add_number(json, "minimum", 0);
                return json;
        }
        if (!isupper((unsigned char) *text))
                protocol_die("%s, %s: \"%s\" is no type", place->of, place->member, text);
        return ref_new(text);
}

/* Where the next "|" outside of brackets is, else the end */
static size_t alternative(const char *text) {
        int depth = 0;
        size_t n = 0;

        for (; text[n] && (text[n] != '|' || depth > 0); n++)
                depth += (text[n] == '[' || text[n] == '{') - (text[n] == ']' || text[n] == '}');
        return n;
}

static cJSON *one_new(const Place *place, const char *text) {
        return *text == '['   ? container_new(place, text)
               : *text == '{' ? container_new(place, text)
               : *text == '=' ? words_new(text + 1)
                              : simple_new(place, text);
}

static cJSON *type_new(const Place *place, const char *text) {
        cJSON *json, *list;

        if (!text[alternative(text)])
                return one_new(place, text);
        json = cJSON_CreateObject();
        list = json_add_array(json, "anyOf");
        while (*text) {
                size_t n = alternative(text);
                autofree char *one = strndup(text, n);

                json_push_consume(list, one_new(place, one));
                text += n + (text[n] == '|');
        }
        return json;
}

/* ---- members ------------------------------------------------------------------------------------- */

typedef struct Reading {
        const cJSON *sources; /* of shapes: for "+" */
        const cJSON *schemas; /* of "file" */
} Reading;

static cJSON *schema_new(const Reading *reading, const Place *place, const cJSON *source);

static cJSON *described_new(const Place *place, const char *text) {
        const char *colon = strstr(text, ": ");
        autofree char *type = colon ? strndup(text, (size_t) (colon - text)) : NULL;
        cJSON *json;

        if (!type || !colon[2])
                protocol_die("%s, %s: says nothing of what it is: \"TYPE: what it is\"", place->of,
                             place->member);
        json = type_new(place, type);
        json_add_text(json, "description", colon + 2);
        return json;
}

static void add_members(const Reading *reading, const Place *place, const cJSON *source,
                        cJSON *properties, cJSON *required) {
        const cJSON *item;

        cJSON_ArrayForEach(item, source) {
                const Place at = { place->of, item->string };
                size_t n = strlen(item->string);
                bool optional = n > 0 && item->string[n - 1] == '?';
                autofree char *name = strndup(item->string, n - optional);
                const cJSON *more = json_get(reading->sources, cJSON_GetStringValue(item));

                if (n == 0 || json_get(properties, name))
                        continue;
                if (strcmp(name, "+") == 0) {
                        if (!cJSON_IsObject(more))
                                protocol_die("%s: \"+\" is no shape with members", place->of);
                        add_members(reading, place, more, properties, required);
                        continue;
                }
                json_add_consume(properties, name, schema_new(reading, &at, item));
                if (!optional)
                        json_push_text(required, name);
        }
}

static cJSON *object_new(const Reading *reading, const Place *place, const cJSON *source) {
        const char *text = json_text(source, "");
        cJSON *json = of_type("object");
        cJSON *required = json_add_array(json, "required");
        cJSON *properties = json_add_object(json, "properties");

        add_members(reading, place, source, properties, required);
        json_add_consume(json, "additionalProperties", cJSON_CreateFalse());
        if (place->member && !text)
                protocol_die("%s, %s: says nothing of what it is: a member \"\"", place->of,
                             place->member);
        if (text)
                json_add_text(json, "description", text);
        return json;
}

/* ["what they are", {members}] */
static cJSON *list_new(const Reading *reading, const Place *place, const cJSON *source) {
        const Place item = { place->of, NULL };
        const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(source, 0));
        cJSON *json = of_type("array");

        if (!text || cJSON_GetArraySize(source) != 2)
                protocol_die("%s, %s: a list is [\"what they are\", {members}]", place->of,
                             place->member);
        json_add_consume(json, "items", object_new(reading, &item, cJSON_GetArrayItem(source, 1)));
        json_add_text(json, "description", text);
        return json;
}

static cJSON *raw_new(const Place *place, const cJSON *raw) {
        if (place->member && !json_text(raw, "description"))
                protocol_die("%s, %s: says nothing of what it is: a \"description\"", place->of,
                             place->member);
        return cJSON_Duplicate(raw, true);
}

static cJSON *schema_new(const Reading *reading, const Place *place, const cJSON *source) {
        const char *file = json_text(source, "file");

        if (json_get(source, "raw"))
                return raw_new(place, json_get(source, "raw"));
        if (file && json_text(source, "page")) {
                if (!json_get(reading->schemas, file))
                        protocol_die("%s: no --schema %s=FILE", place->of, file);
                return cJSON_Duplicate(json_get(reading->schemas, file), true);
        }
        if (cJSON_IsString(source))
                return place->member || strstr(source->valuestring, ": ")
                               ? described_new(place, source->valuestring)
                               : type_new(place, source->valuestring);
        return cJSON_IsArray(source) ? list_new(reading, place, source)
                                     : object_new(reading, place, source);
}

/* ---- files --------------------------------------------------------------------------------------- */

static void add_shapes(const Reading *reading, Protocol *protocol) {
        const cJSON *source;

        cJSON_ArrayForEach(source, reading->sources) {
                const Place place = { source->string, NULL };

                json_add_consume(protocol->shapes, source->string,
                                 schema_new(reading, &place, source));
                if (json_text(source, "page"))
                        json_add_text(protocol->pages, source->string, json_text(source, "page"));
        }
}

/* Schemas in place of the sources of @name */
static void make_schema(const Reading *reading, cJSON *item, const char *name) {
        SCOPED(json_free) cJSON *source = cJSON_DetachItemFromObject(item, name);
        SCOPED(json_free) cJSON *nothing = source ? NULL : cJSON_CreateObject();
        const Place place = { item->string, NULL };

        json_add_consume(item, name, schema_new(reading, &place, source ? source : nothing));
}

static void move(const char *path, cJSON *to, cJSON *from) {
        while (from && from->child) {
                cJSON *item = cJSON_DetachItemViaPointer(from, from->child);
                autofree char *name = strdup(item->string);

                if (json_get(to, name))
                        protocol_die("%s: %s stands twice", path, name);
                json_add_consume(to, name, item);
        }
}

void protocol_load(Protocol *ret, char *const *paths, int n, const cJSON *schemas) {
        SCOPED(json_free) cJSON *sources = cJSON_CreateObject();
        const Reading reading = { sources, schemas };
        cJSON *item;

        *ret = (Protocol){ cJSON_CreateObject(), cJSON_CreateObject(), cJSON_CreateObject(),
                           cJSON_CreateObject() };
        for (int i = 0; i < n; i++) {
                SCOPED(json_free) cJSON *json = protocol_read_file(paths[i]);

                move(paths[i], sources, json_get(json, "shapes"));
                move(paths[i], ret->methods, json_get(json, "methods"));
                move(paths[i], ret->notifications, json_get(json, "notifications"));
        }
        add_shapes(&reading, ret);
        cJSON_ArrayForEach(item, ret->methods) {
                make_schema(&reading, item, "params");
                make_schema(&reading, item, "result");
        }
        cJSON_ArrayForEach(item, ret->notifications) make_schema(&reading, item, "params");
}

void protocol_deinit(Protocol *protocol) {
        json_free(protocol->shapes);
        json_free(protocol->pages);
        json_free(protocol->methods);
        json_free(protocol->notifications);
        *protocol = (Protocol){ NULL, NULL, NULL, NULL };
}

const char *protocol_shape_name(const cJSON *schema) {
        const char *ref = json_text(schema, "$ref");

        return ref ? ref + strlen(PROTOCOL_SHAPES) : NULL;
}

bool protocol_needs(const cJSON *schema, const char *name) {
        const cJSON *item;

        cJSON_ArrayForEach(item, json_get(schema, "required")) if (strcmp(item->valuestring,
                                                                          name) == 0) return true;
        return false;
}

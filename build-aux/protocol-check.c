/*
 * protocol-check: see protocol-check.h.
 */
#include "build-aux/protocol-check.h"

#include <string.h>

#include "base/schema.h"

const ProtocolError protocol_errors[] = {
        { "invalid", "a value, an archive or a descriptor that cannot be used" },
        { "internal", "a fault of the supervisor; its log says more" },
        { "denied", "not this caller, or more than the policy allows" },
        { "not_found", "there is no such thing, or it is another user's" },
        { "exists", "the name is taken, or it was decided already" },
        { "busy", "too much at a time" },
        { "quota", "too much altogether" },
        { "limit", "a limit of the request was reached, or the host is full" },
        { "unsupported", "this host or file system cannot do it" },
        { "jail", "the jail could not be made, or has ended" },
        { "peer", "what the supervisor asked did not answer as it should" },
        { NULL, NULL },
};

const char *protocol_charge_text(const char *word) {
        static const char *const words[][2] = {
                { "none", "nothing" },
                { "jails", "the caller's quota of jails" },
                { "disk", "the caller's quota of snapshots and their disk" },
                { "tasks", "the caller's quota of tasks" },
        };

        for (unsigned i = 0; word && i < ELEMENTS(words); i++)
                if (strcmp(words[i][0], word) == 0)
                        return words[i][1];
        return NULL;
}

/* ---- references ---------------------------------------------------------------------------------- */

static const cJSON *shape_of(const Protocol *protocol, const cJSON *schema, const char *of) {
        const char *name = protocol_shape_name(schema);
        const cJSON *shape = name ? json_get(protocol->shapes, name) : NULL;

        if (name && !shape)
                protocol_die("%s: there is no shape %s", of, name);
        return shape;
}

static bool is_prose(const char *name) {
        return strcmp(name, "description") == 0 || strcmp(name, "title") == 0 ||
               strcmp(name, "$schema") == 0 || strcmp(name, "$id") == 0;
}

/* Members of "properties" are names of the caller's: one of them may be called as a keyword is */
static cJSON *expand(const Protocol *protocol, const cJSON *schema, bool is_names) {
        const cJSON *shape = is_names ? NULL : shape_of(protocol, schema, "a schema"), *item;
        cJSON *json;

        if (shape)
                return expand(protocol, shape, false);
        if (!cJSON_IsObject(schema) && !cJSON_IsArray(schema))
                return cJSON_Duplicate(schema, true);
        json = cJSON_IsObject(schema) ? cJSON_CreateObject() : cJSON_CreateArray();
        cJSON_ArrayForEach(item, schema) {
                bool names = item->string && !is_names && strcmp(item->string, "properties") == 0;

                if (!item->string)
                        json_push_consume(json, expand(protocol, item, false));
                else if (is_names || !is_prose(item->string))
                        json_add_consume(json, item->string, expand(protocol, item, names));
        }
        return json;
}

cJSON *protocol_expand(const Protocol *protocol, const cJSON *schema) {
        return expand(protocol, schema, false);
}

/* Marks in @used what @schema leads to */
static void use_shapes(const Protocol *protocol, const cJSON *schema, const char *of, cJSON *used) {
        const cJSON *shape = shape_of(protocol, schema, of), *item;
        const char *name = protocol_shape_name(schema);

        if (shape && !json_get(used, name)) {
                json_add_bool(used, name, true);
                use_shapes(protocol, shape, name, used);
        }
        cJSON_ArrayForEach(item, schema) use_shapes(protocol, item, of, used);
}

static void check_shapes(const Protocol *protocol) {
        SCOPED(json_free) cJSON *used = cJSON_CreateObject();
        const cJSON *item;

        cJSON_ArrayForEach(item, protocol->methods) {
                use_shapes(protocol, json_get(item, "params"), item->string, used);
                use_shapes(protocol, json_get(item, "result"), item->string, used);
        }
        cJSON_ArrayForEach(item, protocol->notifications)
                use_shapes(protocol, json_get(item, "params"), item->string, used);
        cJSON_ArrayForEach(item, protocol->shapes) {
                if (!json_text(item, "description") && !json_text(item, "title") &&
                    !json_get(protocol->pages, item->string))
                        protocol_die("shape %s: says nothing of what it is", item->string);
                if (!json_get(used, item->string) && strcmp(item->string, "Page") != 0)
                        protocol_die("shape %s: no method has it", item->string);
        }
}

/* ---- methods ------------------------------------------------------------------------------------- */

static void check_fits(const Protocol *protocol, const cJSON *method, const char *part) {
        const cJSON *example = json_get(json_get(method, "example"), part);
        SCOPED(json_free) cJSON *schema = protocol_expand(protocol, json_get(method, part));
        SchemaFault fault;

        if (example && schema_check(schema, example, &fault) < 0)
                protocol_die("%s: its example, %s%s: %s", method->string, part, fault.path,
                             fault.text);
}

static void check_errors(const cJSON *method) {
        const cJSON *item;
        bool known = true;

        cJSON_ArrayForEach(item, json_get(method, "errors")) {
                unsigned i = PROTOCOL_ERRORS_OF_ALL;

                while (protocol_errors[i].word &&
                       strcmp(protocol_errors[i].word, item->valuestring) != 0)
                        i++;
                known = protocol_errors[i].word;
                if (!known)
                        protocol_die("%s: \"%s\" is no word of data.code, or any method's",
                                     method->string, item->valuestring);
        }
}

static void check_method(const Protocol *protocol, const cJSON *method) {
        static const char *const texts[] = { "group", "summary", "who", "charge" };
        const cJSON *item;

        for (unsigned i = 0; i < ELEMENTS(texts); i++)
                if (!json_text(method, texts[i]))
                        protocol_die("%s: has no \"%s\"", method->string, texts[i]);
        if (!protocol_charge_text(json_text(method, "charge")))
                protocol_die("%s: \"%s\" is nothing that is charged", method->string,
                             json_text(method, "charge"));
        if (!json_get(method, "fds") != !json_text(method, "takes"))
                protocol_die("%s: \"fds\" and \"takes\" go together", method->string);
        if (!json_get(json_get(method, "example"), "params"))
                protocol_die("%s: has no example", method->string);
        cJSON_ArrayForEach(item,
                           json_get(method, "notifies")) if (!json_get(protocol->notifications,
                                                                       cJSON_GetStringValue(item)))
                protocol_die("%s: there is no notification %s", method->string, item->valuestring);
        check_errors(method);
        check_fits(protocol, method, "params");
        check_fits(protocol, method, "result");
}

void protocol_check(const Protocol *protocol) {
        const cJSON *item;

        check_shapes(protocol);
        cJSON_ArrayForEach(item, protocol->methods) check_method(protocol, item);
        cJSON_ArrayForEach(item, protocol->notifications) if (!json_text(item, "summary"))
                protocol_die("%s: has no \"summary\"", item->string);
}

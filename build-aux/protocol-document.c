/*
 * protocol-document: see protocol-document.h. OpenRPC 1.2.6, https://spec.open-rpc.org: parameters that must be there come
 * before others, and the errors of a method have codes of their own: ours share one, so a method has one error, which lists
 * the words that its data.code may have.
 */
#include "build-aux/protocol-document.h"

#include <stdio.h>
#include <string.h>

#include "base/rpc-message.h"
#include "build-aux/protocol-check.h"

/* The sentences of "text" below each other */
static void add_description(cJSON *json, const cJSON *method) {
        char text[8192] = "";
        const cJSON *item;
        size_t n = 0;

        cJSON_ArrayForEach(item, json_get(method, "text")) {
                if (n + strlen(item->valuestring) + 3 > sizeof text)
                        protocol_die("%s: too long a text", method->string);
                n += (size_t) snprintf(text + n, sizeof text - n, "%s%s", n ? "\n\n" : "",
                                       item->valuestring);
        }
        if (n)
                json_add_text(json, "description", text);
}

static void add_param(cJSON *list, const cJSON *property, bool needed) {
        cJSON *param = json_push_consume(list, cJSON_CreateObject());

        json_add_text(param, "name", property->string);
        json_add_text(param, "description", json_text(property, "description"));
        json_add_bool(param, "required", needed);
        json_add_consume(param, "schema", cJSON_Duplicate(property, true));
}

static void add_params(cJSON *json, const cJSON *schema) {
        cJSON *list = json_add_array(json, "params");
        const cJSON *property;

        for (int needed = 1; needed >= 0; needed--)
                cJSON_ArrayForEach(
                        property,
                        json_get(schema,
                                 "properties")) if (protocol_needs(schema, property->string) ==
                                                    needed) add_param(list, property, needed);
}

static void add_refusal(cJSON *json, const cJSON *method) {
        cJSON *error = json_push_consume(json_add_array(json, "errors"), cJSON_CreateObject());
        cJSON *words, *data;
        const cJSON *item;

        json_add_consume(error, "code", cJSON_CreateNumber(RPC_OURS));
        json_add_text(error, "message",
                      "refused: data.code says why, by a word of components.errors");
        data = json_add_object(error, "data");
        words = json_add_array(data, "code");
        for (unsigned i = 0; i < PROTOCOL_ERRORS_OF_ALL; i++)
                json_push_text(words, protocol_errors[i].word);
        cJSON_ArrayForEach(item, json_get(method, "errors"))
                json_push_text(words, item->valuestring);
}

static void add_example(cJSON *json, const cJSON *example) {
        cJSON *list = json_add_array(json, "examples");
        cJSON *one = json_push_consume(list, cJSON_CreateObject()), *params, *result;
        const cJSON *item;

        json_add_text(one, "name", "a call");
        params = json_add_array(one, "params");
        cJSON_ArrayForEach(item, json_get(example, "params")) {
                cJSON *param = json_push_consume(params, cJSON_CreateObject());

                json_add_text(param, "name", item->string);
                json_add_consume(param, "value", cJSON_Duplicate(item, true));
        }
        if (!json_get(example, "result"))
                return;
        result = json_add_object(one, "result");
        json_add_text(result, "name", "result");
        json_add_consume(result, "value", cJSON_Duplicate(json_get(example, "result"), true));
}

static void add_descriptors(cJSON *json, const cJSON *method) {
        cJSON *descriptors = json_add_object(json, "x-descriptors");
        uint64_t most = 0;

        (void) json_number(method, "fds", &most);
        json_add_number(descriptors, "most", most);
        if (json_text(method, "takes"))
                json_add_text(descriptors, "takes", json_text(method, "takes"));
        if (json_text(method, "gives"))
                json_add_text(descriptors, "gives", json_text(method, "gives"));
}

static cJSON *method_new(const cJSON *method) {
        cJSON *json = cJSON_CreateObject(), *tag, *result;

        json_add_text(json, "name", method->string);
        tag = json_push_consume(json_add_array(json, "tags"), cJSON_CreateObject());
        json_add_text(tag, "name", json_text(method, "group"));
        json_add_text(json, "summary", json_text(method, "summary"));
        add_description(json, method);
        json_add_text(json, "paramStructure", "by-name");
        add_params(json, json_get(method, "params"));
        result = json_add_object(json, "result");
        json_add_text(result, "name", "result");
        json_add_consume(result, "schema", cJSON_Duplicate(json_get(method, "result"), true));
        add_refusal(json, method);
        add_example(json, json_get(method, "example"));
        json_add_text(json, "x-who", json_text(method, "who"));
        json_add_text(json, "x-charge", json_text(method, "charge"));
        add_descriptors(json, method);
        if (json_get(method, "notifies"))
                json_add_consume(json, "x-notifications",
                                 cJSON_Duplicate(json_get(method, "notifies"), true));
        return json;
}

static void add_components(cJSON *json, const Protocol *protocol) {
        cJSON *components = json_add_object(json, "components");
        cJSON *errors = json_add_object(components, "errors");

        for (unsigned i = 0; protocol_errors[i].word; i++) {
                cJSON *error = json_add_object(errors, protocol_errors[i].word);

                json_add_consume(error, "code", cJSON_CreateNumber(RPC_OURS));
                json_add_text(error, "message", protocol_errors[i].text);
                json_add_text(json_add_object(error, "data"), "code", protocol_errors[i].word);
        }
        json_add_consume(components, "schemas", cJSON_Duplicate(protocol->shapes, true));
}

cJSON *protocol_document(const Protocol *protocol) {
        cJSON *json = cJSON_CreateObject(), *info, *list;
        const cJSON *item;

        json_add_text(json, "openrpc", "1.2.6");
        info = json_add_object(json, "info");
        json_add_text(info, "title", "warder");
        json_add_text(info, "version", PROTOCOL_VERSION);
        json_add_text(info, "description",
                      "The protocol of warder's supervisor: see warder-rpc(7).");
        list = json_add_array(json, "methods");
        cJSON_ArrayForEach(item, protocol->methods) json_push_consume(list, method_new(item));
        list = json_add_array(json, "x-notifications");
        cJSON_ArrayForEach(item, protocol->notifications) {
                cJSON *one = json_push_consume(list, cJSON_CreateObject());

                json_add_text(one, "name", item->string);
                json_add_text(one, "summary", json_text(item, "summary"));
                json_add_consume(one, "schema", cJSON_Duplicate(json_get(item, "params"), true));
        }
        add_components(json, protocol);
        return json;
}

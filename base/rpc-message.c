/*
 * rpc-message: see rpc-message.h.
 */
#include "base/rpc-message.h"

static cJSON *new_message(void) {
        cJSON *json = cJSON_CreateObject();

        if (json && json_add_text(json, "jsonrpc", "2.0"))
                return json;
        return json_free(json);
}

cJSON *rpc_request(uint64_t id, const char *method, cJSON *params) {
        SCOPED(json_free) cJSON *owned = params;
        SCOPED(json_free) cJSON *json = new_message();

        if (!json || (id && !json_add_number(json, "id", id)) ||
            !json_add_text(json, "method", method))
                return NULL;
        if (params && !json_add_consume(json, "params", TAKE_PTR(owned)))
                return NULL;
        return TAKE_PTR(json);
}

static int add_id(cJSON *json, const cJSON *id) {
        cJSON *copy = id ? cJSON_Duplicate(id, false) : cJSON_CreateNull();

        return json_add_consume(json, "id", copy) ? 0 : -ENOMEM;
}

cJSON *rpc_result(const cJSON *id, cJSON *result) {
        SCOPED(json_free) cJSON *owned = result ? result : cJSON_CreateNull();
        SCOPED(json_free) cJSON *json = new_message();

        if (!json || add_id(json, id) < 0 || !json_add_consume(json, "result", TAKE_PTR(owned)))
                return NULL;
        return TAKE_PTR(json);
}

cJSON *rpc_error(const cJSON *id, int code, const char *message, cJSON *data) {
        SCOPED(json_free) cJSON *owned = data;
        SCOPED(json_free) cJSON *json = new_message();
        cJSON *error;

        if (!json || add_id(json, id) < 0)
                return NULL;
        error = json_add_object(json, "error");
        if (!error || !json_add_consume(error, "code", cJSON_CreateNumber(code)) ||
            !json_add_text(error, "message", message))
                return NULL;
        if (data && !json_add_consume(error, "data", TAKE_PTR(owned)))
                return NULL;
        return TAKE_PTR(json);
}

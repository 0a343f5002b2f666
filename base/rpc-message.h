#pragma once
/*
 * rpc-message: the messages of JSON-RPC 2.0. All are fresh trees owned by the caller; NULL without
 * memory.
 */
#include "base/json.h"

enum {
        RPC_PARSE = -32700,
        RPC_INVALID = -32600,
        RPC_METHOD = -32601,
        RPC_PARAMS = -32602,
        RPC_OURS = -32000
};

/** rpc_request() - @params is consumed, may be NULL; @id 0 makes a notification */
cJSON *rpc_request(uint64_t id, const char *method, cJSON *params);
/** rpc_result() - an answer; @id is copied from the request, @result is consumed */
cJSON *rpc_result(const cJSON *id, cJSON *result);
/** rpc_error() - a failure; @data is consumed, may be NULL; @id NULL gives null */
cJSON *rpc_error(const cJSON *id, int code, const char *message, cJSON *data);

#pragma once
/*
 * analyze.h: what the analysers are told about functions of other files. Only tests/lint/analyze includes it.
 *
 * An error_*() returns the code it was given, a negative errno. They cannot see that from where it is called,
 * and follow paths on which a function failed and its caller took that for success. And nothing is no number, no
 * text, and has no members.
 */
#include "base/error.h"
#include "base/json.h"

#define ERROR_RETURNS(CALL)               \
        ({                                \
                int returned_ = (CALL);   \
                if (returned_ >= 0)       \
                        __builtin_trap(); \
                returned_;                \
        })
#define error_set(...) ERROR_RETURNS(error_set(__VA_ARGS__))
#define error_say(...) ERROR_RETURNS(error_say(__VA_ARGS__))
#define error_add(...) ERROR_RETURNS(error_add(__VA_ARGS__))

#define OF_SOMETHING(CALL, JSON)           \
        ({                                 \
                const cJSON *of_ = (JSON); \
                of_ &&CALL(of_);           \
        })
#define cJSON_IsNumber(JSON) OF_SOMETHING(cJSON_IsNumber, JSON)
#define cJSON_IsString(JSON) OF_SOMETHING(cJSON_IsString, JSON)
#define cJSON_IsObject(JSON) OF_SOMETHING(cJSON_IsObject, JSON)
#define cJSON_IsArray(JSON)  OF_SOMETHING(cJSON_IsArray, JSON)
#define json_get(JSON, NAME)                      \
        ({                                        \
                const cJSON *in_ = (JSON);        \
                in_ ? json_get(in_, NAME) : NULL; \
        })
#define json_text(JSON, NAME)                      \
        ({                                         \
                const cJSON *in_ = (JSON);         \
                in_ ? json_text(in_, NAME) : NULL; \
        })

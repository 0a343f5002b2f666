/*
 * members: see members.h. From the references of the three forms, and what the agents of warder-workflow(5)'s
 * command-agent send.
 */
#include "supervisor/egress/members.h"

#include <string.h>
#include <strings.h>

#define PASSES(NAME) \
        { NAME, MEMBER_PASSES, NULL, false }
#define BOUNDS(NAME) \
        { NAME, MEMBER_PASSES, NULL, true }
#define REACHES(NAME) \
        { NAME, MEMBER_REACHES, NAME SAYS, false }
#define END \
        { NULL, MEMBER_UNKNOWN, NULL, false }
#define SAYS \
        " would lead past the route's model, its count of tokens, or the jail's lack of a network"
#define KEPT(NAME) \
        { NAME, MEMBER_REACHES, NAME KEEPS, false }
#define KEEPS " names what the provider keeps, perhaps of another task: send the content itself"

/* In any form, since a gateway may read them in any. */
static const Member reaching[] = {
        REACHES("mcp_servers"),
        REACHES("web_search_options"),
        REACHES("plugins"),
        REACHES("models"),
        REACHES("fallbacks"),
        REACHES("route"),
        REACHES("prompt"),
        REACHES("background"),
        REACHES("connectors"),
        REACHES("kv_transfer_params"),
        KEPT("previous_response_id"),
        KEPT("conversation"),
        KEPT("container"),
        KEPT("cached_content"),
        END,
};

static const Member chat[] = {
        PASSES("model"),
        PASSES("messages"),
        PASSES("tools"),
        PASSES("tool_choice"),
        PASSES("parallel_tool_calls"),
        PASSES("functions"),
        PASSES("function_call"),
        PASSES("response_format"),
        BOUNDS("max_tokens"),
        BOUNDS("max_completion_tokens"),
        PASSES("temperature"),
        PASSES("top_p"),
        PASSES("top_k"),
        PASSES("min_p"),
        PASSES("seed"),
        PASSES("stop"),
        PASSES("stream"),
        PASSES("stream_options"),
        PASSES("reasoning_effort"),
        PASSES("reasoning"),
        PASSES("thinking"),
        PASSES("enable_thinking"),
        PASSES("verbosity"),
        PASSES("presence_penalty"),
        PASSES("frequency_penalty"),
        PASSES("repetition_penalty"),
        PASSES("logit_bias"),
        PASSES("logprobs"),
        PASSES("top_logprobs"),
        PASSES("prediction"),
        PASSES("prompt_cache_key"),
        PASSES("structured_outputs"),
        PASSES("grammar"),
        PASSES("json_schema"),
        { "n", MEMBER_ONE, "n: one answer to a request is what is asked for here", false },
        END,
};

static const Member responses[] = {
        PASSES("model"),
        PASSES("input"),
        PASSES("instructions"),
        PASSES("tools"),
        PASSES("tool_choice"),
        PASSES("parallel_tool_calls"),
        BOUNDS("max_output_tokens"),
        PASSES("max_tool_calls"),
        PASSES("temperature"),
        PASSES("top_p"),
        PASSES("top_logprobs"),
        PASSES("text"),
        PASSES("reasoning"),
        PASSES("include"),
        PASSES("stream"),
        PASSES("stream_options"),
        PASSES("truncation"),
        PASSES("context_management"),
        PASSES("prompt_cache_key"),
        END,
};

static const Member messages[] = {
        PASSES("model"),
        PASSES("messages"),
        PASSES("system"),
        PASSES("tools"),
        PASSES("tool_choice"),
        BOUNDS("max_tokens"),
        PASSES("thinking"),
        PASSES("output_config"),
        PASSES("output_format"),
        PASSES("context_management"),
        PASSES("cache_control"),
        PASSES("stop_sequences"),
        PASSES("stream"),
        PASSES("temperature"),
        PASSES("top_p"),
        PASSES("top_k"),
        END,
};

static const Member *find(const Member *row, const char *name) {
        for (; row->name; row++)
                if (strcasecmp(row->name, name) == 0)
                        return row;
        return NULL;
}

const Member *member_find(RequestTarget target, const char *name) {
        const Member *own = target == REQUEST_CHAT        ? chat
                            : target == REQUEST_RESPONSES ? responses
                                                          : messages;
        const Member *found = find(own, name);

        return found ? found : find(reaching, name);
}

const char *member_bound(RequestTarget target) {
        return target == REQUEST_CHAT        ? "max_completion_tokens"
               : target == REQUEST_RESPONSES ? "max_output_tokens"
                                             : "max_tokens";
}

/* A word that ends in _ is a beginning. */
static const char *const chat_tools[] = { "function", "custom", NULL };
static const char *const responses_tools[] = { "function",    "custom",    "local_shell",
                                               "apply_patch", "namespace", NULL };
static const char *const messages_tools[] = { "custom",  "bash_",     "text_editor_",
                                              "memory_", "computer_", "tool_search_tool_",
                                              NULL };

bool member_is_client_tool(RequestTarget target, const char *type, size_t n) {
        const char *const *at = target == REQUEST_CHAT        ? chat_tools
                                : target == REQUEST_RESPONSES ? responses_tools
                                                              : messages_tools;

        for (; *at; at++) {
                size_t m = strlen(*at);
                bool begins = n >= m && memcmp(type, *at, m) == 0;

                if (begins && (n == m || (*at)[m - 1] == '_'))
                        return true;
        }
        return false;
}

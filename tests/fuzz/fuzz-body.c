/*
 * body: the body of a request as a hostile agent sends it to egress. The first byte chooses the dialect. What is let
 * through keeps its model whatever stood there, and a body that is allowed once is allowed again.
 */
#include "supervisor/egress/body.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/fuzz/fuzz.h"

static void must(bool good) {
        if (!good)
                abort();
}

/* Where all of it is JSON as cJSON knows it, there is one model in it, and it is ours. */
static void check_model(const Buf *out) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *model;

        if (json_parse(out->data, out->len, 0, &json, NULL) < 0)
                return;
        model = json_text(json, "model");
        must(model && strcmp(model, "pinned") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        RequestTarget target = n > 0 ? data[0] % REQUEST_COUNT + 1 : REQUEST_CHAT;
        const char *text = n > 0 ? (const char *) data + 1 : "";
        Buf out = BUF_EMPTY(REQUEST_BODY_MAX + BODY_MORE_MAX);
        BodyText body;
        RequestFault fault = { 0 };
        BodyFacts facts = { 0 }, again = { 0 };

        n -= n > 0;
        body = (BodyText){ text, n, target, "user,tools:mcp" };
        if (body_read(&body, &facts, &fault) < 0) {
                must(fault.status >= 400 && fault.status < 500 && fault.code && fault.text[0]);
                return 0;
        }
        must(body_pin(&body, &facts, "pinned", &out) == 0);
        must(out.len <= n + BODY_MORE_MAX);
        check_model(&out);
        body.text = out.data;
        body.n = out.len;
        must(body_read(&body, &again, &fault) == 0);
        must(again.n_kept >= facts.n_kept && again.stream == facts.stream);
        must(again.most == facts.most);
        buf_deinit(&out);
        return 0;
}

/*
 * reply: see reply.h.
 */
#include "supervisor/egress/reply.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

static bool is_value(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < ' ' || (unsigned char) *text >= 0x7f)
                        return false;
        return true;
}

static int add(Buf *out, const char *name, const char *value) {
        return value && is_value(value) ? buf_printf(out, "%s: %s\r\n", name, value) : 0;
}

int reply_head(Buf *out, const ReplyHead *head) {
        int r;

        r = buf_printf(out, "HTTP/1.1 %ld \r\n", head->status);
        if (r >= 0)
                r = add(out, "Content-Type", head->type);
        if (r >= 0)
                r = add(out, "Retry-After", head->retry_after);
        if (r >= 0 && head->length >= 0)
                r = buf_printf(out, "Content-Length: %lld\r\n", (long long) head->length);
        else if (r >= 0)
                r = add(out, "Transfer-Encoding", "chunked");
        if (r >= 0 && head->final)
                r = add(out, "x-should-retry", "false");
        if (r >= 0 && head->close)
                r = add(out, "Connection", "close");
        return r < 0 ? r : buf_append(out, "\r\n", 2);
}

int reply_body(Buf *out, bool chunked, const char *bytes, size_t n) {
        int r = 0;

        if (n == 0)
                return 0;
        if (chunked)
                r = buf_printf(out, "%zx\r\n", n);
        if (r >= 0)
                r = buf_append(out, bytes, n);
        return r < 0 || !chunked ? r : buf_append(out, "\r\n", 2);
}

int reply_last(Buf *out) {
        return buf_append(out, "0\r\n\r\n", 5);
}

int reply_fault(Buf *out, int status, const char *code, const char *text) {
        SCOPED(json_free) cJSON *body = cJSON_CreateObject();
        cJSON *error = json_add_text(body, "type", "error") ? json_add_object(body, "error") : NULL;
        ReplyHead head = {
                .status = status, .type = "application/json", .final = true, .close = true
        };
        bool later = status == 503; /* what is short now need not be so in a second */
        autofree char *printed = NULL;
        int r;

        /* "type" beside "error" is Anthropic's form, which OpenAI's clients do not mind */
        (void) json_add_text(error, "message", text);
        (void) json_add_text(error, "type", "warder_egress");
        (void) json_add_text(error, "code", code);
        printed = json_print(body);
        if (!printed)
                return -ENOMEM;
        if (later) {
                head.final = false;
                head.retry_after = "1";
        }
        head.length = (int64_t) strlen(printed);
        r = reply_head(out, &head);
        return r < 0 ? r : buf_append(out, printed, strlen(printed));
}

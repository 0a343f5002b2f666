/*
 * request: HTTP as a hostile agent sends it to egress, in one piece and cut at every place.
 */
#include "supervisor/egress/request.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *bytes = (const char *) data;
        RequestHead whole = { 0 }, head = { 0 };
        RequestFault fault = { 0 };
        int r = request_parse(bytes, n, &whole, &fault);

        if (r < 0 && (fault.status < 400 || fault.status > 599 || !fault.code || !fault.text[0]))
                abort();
        if (r == 0 && n >= REQUEST_HEAD_MAX)
                abort();
        if (r != 1)
                return 0;
        if (whole.head > n || whole.head > REQUEST_HEAD_MAX || whole.body > REQUEST_BODY_MAX ||
            memcmp(bytes + whole.head - 4, "\r\n\r\n", 4) != 0)
                abort();
        /* a head is whole at one length and at no smaller one, whatever follows */
        if (request_parse(bytes, whole.head, &head, &fault) != 1 || head.body != whole.body)
                abort();
        for (size_t i = 0; i < whole.head; i += 1 + whole.head / 64)
                if (request_parse(bytes, i, &head, &fault) != 0)
                        abort();
        return 0;
}

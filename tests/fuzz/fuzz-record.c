/* record: bytes as a hostile warder-files writes them; whatever comes out keeps its bounds. */
#include "base/record.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autobuf Buf buf = BUF_EMPTY(1 << 20);
        Record record;
        size_t before;
        int r;

        if (buf_append(&buf, data, n) < 0)
                return 0;
        do {
                before = buf.len;
                r = record_next(&buf, &record);
                if (r == 1 &&
                    (record.head.size > RECORD_DATA_MAX || buf.len >= before ||
                     record.data[record.head.size] != 0 || record.head.kind >= _RECORD_KIND_MAX))
                        abort();
        } while (r == 1);
        if (r == 0 && buf.len >= sizeof(RecordHead) + RECORD_DATA_MAX)
                abort(); /* the largest record there is would be whole by now */
        return 0;
}

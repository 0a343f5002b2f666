/*
 * results: hostile output of a test command, in each form. What is counted is what is told, as far as records
 * are not cut.
 */
#include "sandbox/files/results.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/fuzz/fuzz.h"

#define RECORDS_MAX (64u << 20)

typedef struct Told {
        uint64_t by_status[TEST_SKIPPED + 1];
        uint64_t counted[TEST_SKIPPED + 1];
        unsigned counts; /* records of them: one */
} Told;

static void must(bool good) {
        if (!good)
                abort();
}

static void take_record(const Record *record, Told *told) {
        if (record->head.kind == RECORD_TEST) {
                must(record->head.flags >= TEST_PASSED && record->head.flags <= TEST_SKIPPED);
                told->by_status[record->head.flags]++;
        } else if (record->head.kind == RECORD_WHY) {
                must(record->head.flags > WHY_UNKNOWN && record->head.flags < _TEST_WHY_MAX);
        } else {
                must(record->head.kind == RECORD_COUNTS);
                told->counts++;
                told->counted[TEST_PASSED] = record->head.a >> 32;
                told->counted[TEST_FAILED] = record->head.a & UINT32_MAX;
                told->counted[TEST_SKIPPED] = record->head.b >> 32;
        }
}

static void run(const char *form, const uint8_t *data, size_t n) {
        autoclose int in = memfd_sealed("output", data, n, false, NULL);
        autoclose int out = memfd_create("records", MFD_CLOEXEC);
        Report report = REPORT_EMPTY(out);
        Buf bytes = BUF_EMPTY(RECORDS_MAX);
        Error err = ERROR_EMPTY;
        Told told = { 0 };
        const ResultsJob job = { .form = form, .fd = in, .dir = -EBADF };
        Record record;
        int r;

        must(in >= 0 && out >= 0 && results_run(&job, &report, &err) == 0);
        must(lseek(out, 0, SEEK_SET) == 0);
        while (buf_read(&bytes, out, 1 << 20) > 0)
                continue;
        while ((r = record_next(&bytes, &record)) > 0)
                take_record(&record, &told);
        must(r == 0 && bytes.len == 0 && told.counts == 1);
        if (strcmp(form, "tap") == 0 && !report.cut)
                must(memcmp(told.by_status, told.counted, sizeof(told.counted)) == 0);
        buf_deinit(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static const char *const forms[] = {
                "tap",    "counts",   "exit",  "junit", "go",   "node",
                "pytest", "unittest", "ctest", "cargo", "jest", "mocha"
        };

        for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
                run(forms[i], data, n);
        return 0;
}

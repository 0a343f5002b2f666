/*
 * results-junit: see results-junit.h. The parser is expat; what comes before a document, between two, and behind
 * the last is passed over: a report on standard output has company.
 */
#include "sandbox/files/results-junit.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/owned.h"
#include "sandbox/files/results-why.h"

#define TEXT_MAX  (64u << 20)
#define DEPTH_MAX 64
#define CLASS_MAX 1024

typedef struct Document {
        Results *results; /* borrowed */
        XML_Parser parser;
        char name[CLASS_MAX + RESULTS_LINE_MAX + 2]; /* of the test case that is open */
        unsigned depth;
        bool open; /* a test case is */
        bool over; /* the document's last element ended */
        TestStatus status;
        TestWhy why; /* where it failed */
        int r;
} Document;

typedef struct Mark {
        const char *element;
        TestStatus status;
} Mark;

static const Mark marks[] = {
        { "failure", TEST_FAILED },
        { "error", TEST_FAILED },
        { "skipped", TEST_SKIPPED },
        { "disabled", TEST_SKIPPED },
};

static void stop(Document *document, int r) {
        document->r = r;
        (void) XML_StopParser(document->parser, XML_FALSE);
}

static const char *attribute(const char *const *pairs, const char *name) {
        for (; pairs[0]; pairs += 2)
                if (strcmp(pairs[0], name) == 0)
                        return pairs[1];
        return "";
}

static void open_case(Document *document, const char *const *pairs) {
        const char *class = attribute(pairs, "classname"), *name = attribute(pairs, "name");
        const char *status = attribute(pairs, "status");

        (void) snprintf(document->name, sizeof(document->name), "%.*s%s%.*s", CLASS_MAX, class,
                        *class ? "." : "", RESULTS_LINE_MAX, name);
        document->open = true;
        /* GoogleTest and CTest write it so, without an element of its own */
        document->status = strcmp(status, "notrun") == 0 || strcmp(status, "disabled") == 0
                                   ? TEST_SKIPPED
                                   : TEST_PASSED;
}

/* <error> is what a writer calls a failure of another kind: broken, unless it names an exception */
static TestWhy why_of(const char *element, const char *const *pairs) {
        TestWhy why = results_why_of(attribute(pairs, "message"));

        if (why == WHY_UNKNOWN)
                why = results_why_of(attribute(pairs, "type"));
        if (why != WHY_UNKNOWN)
                return why;
        return strcmp(element, "error") == 0 ? WHY_BROKEN : WHY_ASSERTION;
}

static void on_start(void *userdata, const char *element, const char **pairs) {
        Document *document = userdata;
        size_t i;

        if (++document->depth > DEPTH_MAX)
                stop(document, -EBADMSG);
        else if (strcmp(element, "testcase") == 0)
                open_case(document, pairs);
        for (i = 0; document->open && i < ELEMENTS(marks); i++)
                if (strcmp(element, marks[i].element) == 0 && document->status != TEST_FAILED) {
                        document->status = marks[i].status;
                        document->why = why_of(element, pairs);
                }
}

static void on_end(void *userdata, const char *element) {
        Document *document = userdata;
        int r = 0;

        if (document->open && strcmp(element, "testcase") == 0) {
                document->open = false;
                r = results_test(document->results, document->status, document->name,
                                 strlen(document->name));
                if (r >= 0 && document->status == TEST_FAILED)
                        r = results_why(document->results, document->why, document->name,
                                        strlen(document->name));
        }
        document->over = --document->depth == 0;
        if (r < 0 || document->over)
                stop(document, r);
}

/* No writer of reports needs a document type, and only with one there are entities to expand */
static void on_doctype(void *userdata, const char *name, const char *system, const char *public,
                       int internal) {
        (void) name;
        (void) system;
        (void) public;
        (void) internal;
        stop(userdata, -EBADMSG);
}

/* One document from @text. Returns: bytes of it, or negative errno; -EBADMSG: it is not one. */
static ssize_t read_document(Results *results, const char *text, size_t n) {
        autofree Document *document = calloc(1, sizeof(*document));
        enum XML_Status status;
        XML_Index end;
        int r;

        if (!document)
                return -ENOMEM;
        *document = (Document){ .results = results, .parser = XML_ParserCreate(NULL) };
        if (!document->parser)
                return -ENOMEM;
        XML_SetUserData(document->parser, document);
        XML_SetElementHandler(document->parser, on_start, on_end);
        XML_SetStartDoctypeDeclHandler(document->parser, on_doctype);
        status = XML_Parse(document->parser, text, (int) n, 1);
        end = XML_GetCurrentByteIndex(document->parser);
        r = document->r;
        if (r == 0 && status != XML_STATUS_OK && !document->over)
                r = -EBADMSG;
        XML_ParserFree(document->parser);
        return r < 0 ? r : end < 1 ? 1 : (ssize_t) end;
}

static const char *find_start(const char *text, size_t n) {
        static const char *const starts[] = { "<?xml", "<testsuite" };
        const char *first = NULL;

        for (size_t i = 0; i < ELEMENTS(starts); i++) {
                const char *at = memmem(text, n, starts[i], strlen(starts[i]));

                if (at && (!first || at < first))
                        first = at;
        }
        return first;
}

/* A report that cannot be read is no proof that its tests passed */
static int broken(Results *results, const char *why) {
        char text[64];
        int n = snprintf(text, sizeof(text), "(the JUnit report %s)", why);

        return results_test(results, TEST_FAILED, text, (size_t) n);
}

static int read_documents(Results *results, const char *text, size_t n) {
        const char *at = n ? find_start(text, n) : NULL;
        ssize_t used = 0;

        while (at && used >= 0) {
                used = read_document(results, at, n - (size_t) (at - text));
                if (used > 0)
                        at = find_start(at + used, n - (size_t) (at + used - text));
        }
        return used == -EBADMSG ? broken(results, "is broken") : used < 0 ? (int) used : 0;
}

int results_junit(Results *results, int fd, Error *err) {
        autobuf Buf buf = BUF_EMPTY(TEXT_MAX);
        ssize_t n;
        int r;

        do
                n = buf_read(&buf, fd, 1 << 16);
        while (n > 0 || n == -EINTR);
        if (n < 0 && n != -ENOBUFS)
                return error_set(err, (int) n, "read the report");
        r = n == -ENOBUFS ? broken(results, "is larger than 64 MiB")
                          : read_documents(results, buf.data, buf.len);
        return r < 0 ? error_set(err, r, "read the report") : 0;
}

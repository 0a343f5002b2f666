/* results-why: see results-why.h. */
#include "sandbox/files/results-why.h"

#include <string.h>

#include "base/owned.h"

typedef struct WhyWord {
        const char *text;
        TestWhy why;
} WhyWord;

/* How a reason begins. The first row that fits decides. */
static const WhyWord starts[] = {
        { "assert", WHY_ASSERTION },
        { "AssertionError", WHY_ASSERTION },
        { "Failed: ", WHY_ASSERTION }, /* pytest.fail(), pytest.raises() */
        { "java.lang.AssertionError", WHY_ASSERTION },
        { "org.opentest4j.AssertionFailedError", WHY_ASSERTION },
        { "ERR_ASSERTION", WHY_ASSERTION },
        /* Python */
        { "ImportError", WHY_BROKEN },
        { "ModuleNotFoundError", WHY_BROKEN },
        { "SyntaxError", WHY_BROKEN },
        { "IndentationError", WHY_BROKEN },
        { "TabError", WHY_BROKEN },
        { "NameError", WHY_BROKEN },
        { "AttributeError: module ", WHY_BROKEN },
        { "fixture '", WHY_BROKEN },
        { "collection failure", WHY_BROKEN },
        { "failed on setup", WHY_BROKEN },
        /* JavaScript */
        { "ReferenceError", WHY_BROKEN },
        { "MODULE_NOT_FOUND", WHY_BROKEN },
        { "ERR_MODULE_NOT_FOUND", WHY_BROKEN },
        { "Cannot find module", WHY_BROKEN },
        { "Error: Cannot find module", WHY_BROKEN },
        /* Java */
        { "java.lang.NoClassDefFoundError", WHY_BROKEN },
        { "java.lang.ClassNotFoundException", WHY_BROKEN },
        { "java.lang.NoSuchMethodError", WHY_BROKEN },
};

/* Wherever they stand in a reason. */
static const WhyWord parts[] = {
        { " is not a function", WHY_BROKEN },
        { " is not a constructor", WHY_BROKEN },
        { ": command not found", WHY_BROKEN },
        { "undefined reference to ", WHY_BROKEN },
};

/* "builtins.ValueError: …", "TypeError": a word that ends so names an exception */
static bool names_exception(const char *text) {
        static const char *const ends[] = { "Error", "Exception", "Warning", "Interrupt" };
        size_t n =
                strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$");

        if (n == 0 || (text[n] && !strchr(": '\"", text[n])))
                return false;
        for (size_t i = 0; i < ELEMENTS(ends); i++) {
                size_t length = strlen(ends[i]);

                if (n >= length && memcmp(text + n - length, ends[i], length) == 0)
                        return true;
        }
        return false;
}

TestWhy results_why_of(const char *text) {
        for (size_t i = 0; i < ELEMENTS(starts); i++)
                if (strncmp(text, starts[i].text, strlen(starts[i].text)) == 0)
                        return starts[i].why;
        for (size_t i = 0; i < ELEMENTS(parts); i++)
                if (strstr(text, parts[i].text))
                        return parts[i].why;
        return names_exception(text) ? WHY_EXCEPTION : WHY_UNKNOWN;
}

int results_why(Results *results, TestWhy why, const char *name, size_t n) {
        RecordHead head = { .kind = RECORD_WHY, .flags = why };

        if (why == WHY_UNKNOWN || n == 0 || results->whys >= RESULTS_WHY_MAX)
                return 0;
        results->whys++;
        return report_bytes(results->report, &head, name, n);
}

int results_why_open(Results *results, WhyOpen *open, const PatternName *name, TestWhy otherwise) {
        int r = results_why_close(results, open);

        if (r < 0 || name->n > sizeof(open->name))
                return r;
        memcpy(open->name, name->at, name->n);
        open->n = name->n;
        open->why = otherwise;
        return 0;
}

void results_why_hear(WhyOpen *open, const char *line) {
        TestWhy why = open->n > 0 ? results_why_of(line) : WHY_UNKNOWN;

        if (why == WHY_UNKNOWN || (open->heard && why < open->why))
                return;
        open->why = why;
        open->heard = true;
}

int results_why_close(Results *results, WhyOpen *open) {
        int r = open->n > 0 ? results_why(results, open->why, open->name, open->n) : 0;

        open->n = 0;
        open->heard = false;
        open->why = WHY_UNKNOWN;
        return r;
}

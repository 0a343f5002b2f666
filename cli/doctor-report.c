/*
 * doctor-report: see doctor-report.h. What a probe says is data: a line of another shape is none.
 */
#include "cli/doctor-report.h"

#include <stdlib.h>
#include <string.h>

#define PROBES_LEAST 100 /* fewer cannot be all of them */

static void count(AttackTotals *totals, const char *outcome) {
        if (strcmp(outcome, "held") == 0)
                totals->held++;
        else if (strcmp(outcome, "through") == 0)
                totals->through++;
        else if (strcmp(outcome, "not-tried") == 0)
                totals->not_tried++;
        else
                totals->unclear++;
}

void report_add(AttackReport *report, const char *as, char *const *words) {
        static const char *const names[REPORT_COLUMNS] = { "probe", "tried", "outcome", "wall",
                                                           "evidence" };
        cJSON *row = cJSON_CreateObject();

        for (unsigned i = 0; i < REPORT_COLUMNS; i++)
                json_add_text(row, names[i], words[i]);
        json_add_text(row, "as", as);
        json_push_consume(report->rows, row);
        count(&report->totals, words[2]);
}

void report_unclear(AttackReport *report, const char *as, char *evidence) {
        char name[] = "report", tried[] = "hear of every probe", outcome[] = "unclear",
             wall[] = "-";
        char *const words[REPORT_COLUMNS] = { name, tried, outcome, wall, evidence };

        report_add(report, as, words);
}

/* Returns: how many words the line has; it is cut up at its tabs */
static unsigned cut(char *line, char **words) {
        unsigned n = 0;

        for (char *word = line; word && n < REPORT_COLUMNS; n++) {
                words[n] = word;
                word = strchr(words[n], '\t');
                if (word)
                        *word++ = 0;
        }
        return n;
}

void report_read(AttackReport *report, const char *as, const char *text) {
        autofree char *lines = strdup(text);
        char few[] = "fewer probes reported than were tried";
        char *words[REPORT_COLUMNS], *rest = NULL;
        unsigned n = 0;
        bool ended = false;

        for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                unsigned found = cut(line, words);

                if (found == 2 && strcmp(words[0], "end") == 0 && n >= PROBES_LEAST)
                        ended = strtoul(words[1], NULL, 10) == n;
                if (found != REPORT_COLUMNS)
                        continue;
                report_add(report, as, words);
                n++;
        }
        if (!ended)
                report_unclear(report, as, few);
}

/* samples: see samples.h. */
#include "supervisor/front/commands/samples.h"

#include <stdio.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/units.h"

typedef struct Sample {
        uint64_t at_usec, cpu_usec, memory, pids;
} Sample;

struct Samples {
        Front *front; /* borrowed */
        char jail[ID_MAX];
        sd_event_source *timer;
        uint64_t start_usec; /* monotonic */
        uint64_t start_cpu;
        uint64_t period;
        Sample items[SAMPLES_MAX];
        unsigned n;
};

Samples *samples_free(Samples *samples) {
        if (!samples)
                return NULL;
        sd_event_source_disable_unref(samples->timer);
        free(samples);
        return NULL;
}
DEFINE_SCOPED(Samples *, samples_free);

static int read_one(const Samples *samples, Sample *ret) {
        const FrontJail *jail = front_jail_find(samples->front, samples->jail, 0);

        if (!jail || front_jail_state(jail) != FRONT_JAIL_READY)
                return -ESRCH;
        *ret = (Sample){ .at_usec = units_monotonic() };
        (void) front_jail_cpu_usec(jail, &ret->cpu_usec);
        (void) fd_read_number(front_jail_fd(jail, JAIL_FD_MEMORY), &ret->memory);
        (void) fd_read_number(front_jail_fd(jail, JAIL_FD_PIDS), &ret->pids);
        return 0;
}

static void thin_out(Samples *samples) {
        for (unsigned i = 1; 2 * i < samples->n; i++)
                samples->items[i] = samples->items[2 * i];
        samples->n = (samples->n + 1) / 2;
        samples->period *= 2;
}

static void add_one(Samples *samples) {
        Sample sample;

        if (read_one(samples, &sample) < 0)
                return;
        if (samples->n == SAMPLES_MAX)
                thin_out(samples);
        sample.at_usec -= samples->start_usec;
        sample.cpu_usec -=
                samples->start_cpu < sample.cpu_usec ? samples->start_cpu : sample.cpu_usec;
        samples->items[samples->n++] = sample;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Samples *samples = userdata;

        (void) usec;
        add_one(samples);
        (void) sd_event_source_set_time_relative(source, samples->period);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

int samples_start(Front *front, const char *jail, Samples **ret, Error *err) {
        SCOPED(samples_free) Samples *samples = calloc(1, sizeof(*samples));
        Sample first = { 0 };
        int r;

        if (!samples)
                return error_set(err, -ENOMEM, "sample a command");
        samples->front = front;
        samples->period = SAMPLES_FIRST_USEC;
        (void) snprintf(samples->jail, sizeof(samples->jail), "%s", jail);
        samples->start_usec = units_monotonic();
        if (read_one(samples, &first) == 0)
                samples->start_cpu = first.cpu_usec;
        add_one(samples);
        r = sd_event_add_time_relative(front->event, &samples->timer, CLOCK_MONOTONIC,
                                       samples->period, samples->period / 4, on_timer, samples);
        if (r < 0)
                return error_set(err, r, "sample a command");
        *ret = TAKE_PTR(samples);
        return 0;
}

static void push_number(cJSON *array, uint64_t value) {
        json_push_consume(array, cJSON_CreateNumber((double) value));
}

cJSON *samples_take(Samples *samples_consume) {
        SCOPED(samples_free) Samples *samples = samples_consume;
        SCOPED(json_free) cJSON *list = NULL;

        if (!samples)
                return NULL;
        add_one(samples);
        list = cJSON_CreateArray();
        for (unsigned i = 0; i < samples->n; i++) {
                const Sample *sample = &samples->items[i];
                cJSON *row = json_push_consume(list, cJSON_CreateArray());

                push_number(row, sample->at_usec);
                push_number(row, sample->cpu_usec);
                push_number(row, sample->memory);
                push_number(row, sample->pids);
        }
        return TAKE_PTR(list);
}

/*
 * jail-sample: see jail-sample.h.
 */
#include "supervisor/front/jails/jail-sample.h"

#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/jails/init-link.h"

#define TEXT_MAX 8192 /* of memory.stat, the longest */

/* ---- files of the kernel -------------------------------------------------------------------------- */

static bool read_text(int fd, char *text) {
        ssize_t n = fd < 0 ? -1 : pread(fd, text, TEXT_MAX - 1, 0);

        if (n <= 0)
                return false;
        text[n] = '\0';
        return true;
}

static bool read_commands(const FrontJail *jail, const char *file, char *text) {
        autoclose int fd = front_jail_group_open(jail, file);

        return read_text(fd, text);
}

/* The number behind @key, which begins a word. A figure that is not there is null. */
static void add_keyed(cJSON *json, const char *name, const char *text, const char *key,
                      unsigned divisor) {
        size_t n = strlen(key);
        const char *at = text;

        while ((at = strstr(at, key)) && at != text && at[-1] != '\n' && at[-1] != ' ')
                at += n;
        if (at)
                json_add_number(json, name, strtoull(at + n, NULL, 10) / divisor);
        else
                json_add_consume(json, name, cJSON_CreateNull());
}

static void add_number(cJSON *json, const char *name, const FrontJail *jail, JailFd which) {
        uint64_t value;

        if (fd_read_number(front_jail_fd(jail, which), &value) == 0)
                json_add_number(json, name, value);
        else
                json_add_consume(json, name, cJSON_CreateNull());
}

static bool is_v2(const FrontJail *jail) {
        return front_jail_front(jail)->info.cgroup_mode == CGROUP_V2;
}

/* ---- parts of the record -------------------------------------------------------------------------- */

static void add_memory(cJSON *json, const FrontJail *jail) {
        const PlanLimits *limits = &front_jail_limits(jail)->plan;
        cJSON *memory = json_add_object(json, "memory");
        char text[TEXT_MAX] = "";

        add_number(memory, "now", jail, JAIL_FD_MEMORY);
        add_number(memory, "peak", jail, JAIL_FD_MEMORY_PEAK);
        (void) read_text(front_jail_fd(jail, JAIL_FD_MEMORY_STAT), text);
        add_keyed(memory, "files", text, is_v2(jail) ? "file " : "total_cache ", 1);
        json_add_number(memory, "limit", limits->memory_bytes);
        (void) read_text(front_jail_fd(jail, JAIL_FD_OOM), text);
        add_keyed(memory, "oom_kills", text, "oom_kill ", 1);
}

static void add_pids(cJSON *json, const FrontJail *jail) {
        cJSON *pids = json_add_object(json, "pids");
        char text[TEXT_MAX] = "";

        add_number(pids, "now", jail, JAIL_FD_PIDS);
        add_number(pids, "peak", jail, JAIL_FD_PIDS_PEAK);
        json_add_number(pids, "limit", front_jail_limits(jail)->plan.pids);
        (void) read_text(front_jail_fd(jail, JAIL_FD_PIDS_EVENTS), text);
        add_keyed(pids, "refused", text, "max ", 1);
}

static void add_cpu(cJSON *json, const FrontJail *jail) {
        cJSON *cpu = json_add_object(json, "cpu");
        char text[TEXT_MAX] = "";

        (void) read_commands(jail, "cpu.stat", text);
        add_keyed(cpu, "usage_usec", text, "usage_usec ", 1);
        add_keyed(cpu, "user_usec", text, "user_usec ", 1);
        add_keyed(cpu, "sys_usec", text, "system_usec ", 1);
        json_add_number(cpu, "limit", front_jail_limits(jail)->plan.cpu_permille);
        text[0] = '\0';
        (void) read_text(front_jail_fd(jail, JAIL_FD_THROTTLED), text);
        add_keyed(cpu, "periods", text, "nr_periods ", 1);
        add_keyed(cpu, "throttled", text, "nr_throttled ", 1);
        if (is_v2(jail))
                add_keyed(cpu, "throttled_usec", text, "throttled_usec ", 1);
        else /* nanoseconds */
                add_keyed(cpu, "throttled_usec", text, "throttled_time ", 1000);
}

/* "some avg10=1.25 avg60=… total=N", then the same line with "full". */
static void add_pressure_of(cJSON *pressure, const char *name, const FrontJail *jail,
                            const char *file) {
        static const char *const kinds[] = { "some", "full" };
        char text[TEXT_MAX] = "";
        cJSON *json;

        if (!read_commands(jail, file, text)) {
                json_add_consume(pressure, name, cJSON_CreateNull());
                return;
        }
        json = json_add_object(pressure, name);
        for (unsigned i = 0; i < ELEMENTS(kinds); i++) {
                const char *line = strstr(text, kinds[i]), *average, *total;
                cJSON *kind = json_add_object(json, kinds[i]);

                average = line ? strstr(line, "avg10=") : NULL;
                total = line ? strstr(line, "total=") : NULL;
                json_add_number(kind, "percent", average ? strtoull(average + 6, NULL, 10) : 0);
                json_add_number(kind, "usec", total ? strtoull(total + 6, NULL, 10) : 0);
        }
}

static void add_pressure(cJSON *json, const FrontJail *jail) {
        cJSON *pressure = json_add_object(json, "pressure");

        add_pressure_of(pressure, "cpu", jail, "cpu.pressure");
        add_pressure_of(pressure, "memory", jail, "memory.pressure");
        add_pressure_of(pressure, "io", jail, "io.pressure");
}

static void add_disk(cJSON *json, const FrontJail *jail) {
        const JailDisk *disk = &front_jail_book(jail)->disk;
        cJSON *object;

        if (disk->at_usec == 0) {
                json_add_consume(json, "disk", cJSON_CreateNull());
                return;
        }
        object = json_add_object(json, "disk");
        json_add_number(object, "used", disk->used);
        json_add_number(object, "limit", disk->limit);
        json_add_number(object, "inodes", disk->inodes);
        json_add_number(object, "inodes_limit", disk->inodes_limit);
        json_add_number(object, "age_usec", units_monotonic() - disk->at_usec);
}

static void add_commands(cJSON *json, const FrontJail *jail) {
        const JailBook *book = front_jail_book(jail);
        const JailCounts *counts = &book->counts;
        cJSON *commands = json_add_object(json, "commands"), *output, *io, *hits;

        json_add_number(commands, "running", commands_count(front_jail_first_command(jail)));
        json_add_number(commands, "started", counts->started);
        json_add_number(commands, "ended", counts->ended);
        output = json_add_object(json, "output");
        json_add_number(output, "seen", counts->output_seen + book->disk.output_running);
        json_add_number(output, "kept", counts->output_kept);
        io = json_add_object(json, "io");
        json_add_number(io, "read", counts->io_read);
        json_add_number(io, "written", counts->io_written);
        hits = json_add_object(json, "hits");
        for (unsigned i = 0; i < _HIT_MAX; i++)
                json_add_number(hits, hit_name(i), counts->hits[i]);
}

static void add_times(cJSON *json, const FrontJail *jail) {
        uint64_t created = front_jail_created(jail), now = units_now(), left;

        json_add_number(json, "age_usec", now > created ? now - created : 0);
        json_add_number(json, "frozen_usec", front_jail_frozen_usec(jail));
        if (front_jail_wall_left(jail, &left))
                json_add_number(json, "wall_left_usec", left);
        else
                json_add_consume(json, "wall_left_usec", cJSON_CreateNull());
}

cJSON *jail_sample(const FrontJail *jail) {
        cJSON *json = front_jail_head(jail);

        if (!json || front_jail_state(jail) != FRONT_JAIL_READY)
                return json;
        add_memory(json, jail);
        add_pids(json, jail);
        add_cpu(json, jail);
        add_disk(json, jail);
        add_commands(json, jail);
        add_pressure(json, jail);
        add_times(json, jail);
        return json;
}

/* ---- what init knows ------------------------------------------------------------------------------ */

typedef struct Measuring {
        FrontJail *jail; /* borrowed; it outlives its link to init, which calls us */
        JailMeasuredFn done;
        void *userdata;
} Measuring;

/* A hostile init says what it likes about its own disk: shown, and nothing rests on it. */
static void on_measured(const InitEvent *event, int *fds, unsigned n_fds, void *userdata) {
        autofree Measuring *measuring = userdata;
        JailDisk *disk = &front_jail_book(measuring->jail)->disk;

        (void) fds;
        (void) n_fds;
        disk->asked = false;
        if (event && event->code == 0)
                *disk = (JailDisk){ .at_usec = units_monotonic(),
                                    .used = event->seen[0],
                                    .limit = event->seen[1],
                                    .inodes = event->kept[0],
                                    .inodes_limit = event->kept[1],
                                    .output_running = event->value };
        if (measuring->done)
                measuring->done(event ? measuring->jail : NULL, measuring->userdata);
}

int jail_measure(FrontJail *jail, JailMeasuredFn done, void *userdata, Error *err) {
        JailDisk *disk = &front_jail_book(jail)->disk;
        InitHead request = { .kind = INIT_MEASURE };
        const InitMessage message = { &request, sizeof request, NULL, 0 };
        autofree Measuring *measuring = NULL;
        int r;

        if (front_jail_state(jail) != FRONT_JAIL_READY)
                return error_say(err, -ESRCH, "jail %s is not running", front_jail_id(jail));
        if (done && disk->asked)
                return error_say(err, -EBUSY, "jail %s is being measured", front_jail_id(jail));
        if (!done && (disk->asked ||
                      (disk->at_usec && units_monotonic() - disk->at_usec < JAIL_MEASURE_USEC)))
                return 0;
        measuring = malloc(sizeof *measuring);
        if (!measuring)
                return error_set(err, -ENOMEM, "measure jail %s", front_jail_id(jail));
        *measuring = (Measuring){ jail, done, userdata };
        r = init_link_send(front_jail_init(jail), &message, on_measured, measuring, err);
        if (r < 0)
                return r;
        disk->asked = true;
        (void) TAKE_PTR(measuring);
        return 0;
}

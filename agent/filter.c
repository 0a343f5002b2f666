/*
 * filter: the generated array as a descriptor.
 */
#include "agent/filter.h"

#include "base/fds.h"
#include "filter-agent.h"

int filter_agent_fd(Error *err) {
        return memfd_sealed("filter-agent", filter_agent, sizeof(filter_agent), false, err);
}

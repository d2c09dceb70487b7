/* Descriptors under the association of a transcript, made by another implementation; used by replay.c. */
#ifndef ESP_H
#define ESP_H

#include <ikev2_scsi.h>

#include "replay.h"

/* The line of the descriptor that is built: its IV is drawn. */
static const line *building;

/* Opens a descriptor, refuses it before and after, and checks what the caller does wrong. */
static inline void open_one(ikev2_scsi_server *server, const line *from, const ikev2_scsi_esp_command *command, uint64_t now) {
    blob expected = hex(from, 4), descriptor = hex(from, 5);
    ikev2_scsi_esp_command other = *command;
    uint8_t data[512];
    ikev2_scsi_esp_answer answer;
    const uint16_t usage = 0x82;
#define OPEN(length, what, size) \
    ikev2_scsi_server_open_data_out(server, descriptor.data, length, what, now, data, size, &answer)
    CHECK(OPEN(descriptor.length, command, descriptor.length - 1) == IKEV2_SCSI_RESULT_BUFFER_TOO_SMALL);
    CHECK(OPEN(descriptor.length, NULL, sizeof data) == IKEV2_SCSI_RESULT_NULL_POINTER);
    other.form = 2;
    CHECK(OPEN(descriptor.length, &other, sizeof data) == IKEV2_SCSI_RESULT_INVALID_ARGUMENT);
    /* Another use, one byte less, a changed byte: refused, and the descriptor is as good as before. */
    other = *command, other.usage_types = &usage;
    CHECK(OPEN(descriptor.length, &other, sizeof data) == 0 && answer.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
    CHECK(OPEN(descriptor.length - 1, command, sizeof data) == 0 && answer.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
    descriptor.data[descriptor.length - 1] ^= 1;
    CHECK(OPEN(descriptor.length, command, sizeof data) == 0 && answer.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
    CHECK(answer.length == 0 && answer.sense.length == 18 && (answer.sense.bytes[2] & 0x0F) == 0x5);
    descriptor.data[descriptor.length - 1] ^= 1;
    CHECK(OPEN(descriptor.length, command, sizeof data) == 0 && answer.status == IKEV2_SCSI_STATUS_GOOD);
    CHECK(answer.length == expected.length && memcmp(data, expected.data, expected.length) == 0);
    CHECK(answer.descriptor_length == descriptor.length && answer.sa_removed == 0);
    /* It is used up. */
    CHECK(OPEN(descriptor.length, command, sizeof data) == 0 && answer.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
#undef OPEN
    free(expected.data);
    free(descriptor.data);
}

static inline void build_one(ikev2_scsi_server *server, const line *from, const ikev2_scsi_esp_command *command,
                             ikev2_scsi_sa_id id, uint64_t now) {
    blob data = hex(from, 4), expected = hex(from, 5);
    uint8_t descriptor[512];
    ikev2_scsi_esp_answer answer;
    ikev2_scsi_sa_id other = {id.ac_sai, id.ds_sai ^ 1};
#define BUILD(whose, size) \
    ikev2_scsi_server_build_data_in(server, whose, data.data, data.length, command, now, descriptor, size, &answer)
    CHECK(BUILD(id, data.length + 127) == IKEV2_SCSI_RESULT_BUFFER_TOO_SMALL);
    CHECK(BUILD(other, sizeof descriptor) == 0 && answer.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
    building = from;
    CHECK(BUILD(id, sizeof descriptor) == 0 && answer.status == IKEV2_SCSI_STATUS_GOOD);
    building = NULL;
    CHECK(answer.length == expected.length && memcmp(descriptor, expected.data, expected.length) == 0);
    CHECK(answer.id.ds_sai == id.ds_sai && answer.sa_removed == 0);
#undef BUILD
    free(data.data);
    free(expected.data);
}

/* Tells how many descriptors there were. */
static inline unsigned check_esp(const transcript *all, ikev2_scsi_server *server, ikev2_scsi_sa_id id, uint64_t now) {
    const uint16_t usage = 0x81;
    const line *from;
    unsigned count = 0;
    for (; (from = find(all, "esp", count)) != NULL; count++) {
        ikev2_scsi_esp_command command = {&usage, 1, (uint32_t)number(from, 2), IKEV2_SCSI_ESP_PLACE_PARAMETER_LIST, 20};
        if (strcmp(from->words[1], "out") == 0)
            open_one(server, from, &command, now);
        else
            build_one(server, from, &command, id, now);
    }
    return count;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Run a target of libFuzzer on files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *in = fopen(argv[i], "rb");
		uint8_t *data;
		size_t size;

		if (!in || fseek(in, 0, SEEK_END)) {
			perror(argv[i]);
			return 1;
		}
		size = ftell(in);
		rewind(in);
		data = malloc(size + 1);
		if (!data || fread(data, 1, size, in) != size) {
			perror(argv[i]);
			return 1;
		}
		fclose(in);
		/* Hanging is failing, too */
		alarm(20);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	return 0;
}

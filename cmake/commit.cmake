# Writes the commit of SOURCES into FILE, as a string of C++: "" where there is no git, or no repository.
cmake_minimum_required(VERSION 3.22)
execute_process(COMMAND ${SOURCES}/tools/workspace_status OUTPUT_VARIABLE status ERROR_QUIET)
string(REGEX REPLACE "^STABLE_PRESENCE_COMMIT ([0-9a-z-]+).*" "\\1" commit "${status}")
file(CONFIGURE OUTPUT ${FILE} CONTENT "\"@commit@\"\n" @ONLY)

@echo off
rem Makes a safety backup, deletes ALL DATA of TimeTracker and creates its schema again: "db-init reset", while the
rem application is stopped. Asks for the database's name on a terminal; elsewhere give --yes-delete-all-data NAME or
rem set TT_FORCE_RESET_DB=true. Works from any folder; options are passed on.
setlocal EnableExtensions DisableDelayedExpansion

rem the current folder, the project's folder, or the folder above it
call :knows_db_init "%CD%" && goto found
call :knows_db_init "%~dp0.." && goto found
call :knows_db_init "%~dp0..\.." && goto found
echo No compose file with a service db-init was found here, nor beside %~dp0. 1>&2
echo Change to its folder, or set COMPOSE_FILE to its path. 1>&2
rem an invalid file (for example, .env lacks a variable) is not a missing one
docker compose config --quiet 1>&2
exit /b 2

:found
set "running="
for /f "delims=" %%s in ('docker compose ps --services --status running') do if "%%s"=="app" set "running=yes"
set "environment="
if defined TT_FORCE_RESET_DB set "environment=--env TT_FORCE_RESET_DB"

if defined running docker compose stop app
docker compose run --rm %environment% db-init reset %*
set "status=%ERRORLEVEL%"

rem also if nothing was reset: db-init checks the database first
if defined running (
  docker compose up -d app || set "status=1"
)
popd
exit /b %status%

rem Changes to a folder if its compose file has a service db-init.
:knows_db_init
pushd "%~1" || exit /b 1
for /f "delims=" %%s in ('docker compose config --services 2^>nul') do if "%%s"=="db-init" exit /b 0
popd
exit /b 1

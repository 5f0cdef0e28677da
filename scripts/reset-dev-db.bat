@rem Of db-init, not the application's script of this name: hands on to db-init-reset.bat. The recovery document names it so.
@echo This is db-init's reset-dev-db.bat: it runs db-init-reset.bat, which is "db-init reset". 1>&2
@call "%~dp0db-init-reset.bat" %*
@exit /b %ERRORLEVEL%

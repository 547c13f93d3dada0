# The vault, and nothing else. Build: docker build -t authconn-server .

FROM node:24.21.0-slim AS build
WORKDIR /src
# The dependencies first: this layer lasts until one of them changes.
COPY .pnpmfile.cjs package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/cli/package.json packages/cli/
COPY packages/sandbox/package.json packages/sandbox/
COPY packages/sdk/package.json packages/sdk/
COPY packages/server/package.json packages/server/
COPY packages/shared/package.json packages/shared/
COPY scripts/run.mjs scripts/
COPY scripts/lib/*.mjs scripts/lib/
RUN node scripts/run.mjs install
COPY . .
RUN node scripts/run.mjs deploy /vault

FROM node:24.21.0-slim
RUN groupadd --gid 10001 authconn \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/authconn --shell /usr/sbin/nologin authconn \
  && install -d -m 0700 -o authconn -g authconn /var/lib/authconn
WORKDIR /opt/authconn
COPY LICENSE ./
COPY --from=build /vault ./
ENV NODE_ENV=production \
    AUTHCONN_HOST=0.0.0.0 \
    AUTHCONN_DATA_DIR=/var/lib/authconn
USER 10001:10001
VOLUME /var/lib/authconn
EXPOSE 7345
STOPSIGNAL SIGTERM
# Whether the certificate is for this name is no question of health.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", \
  "const secure = process.env.AUTHCONN_TLS_CERT_FILE; require(secure ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.AUTHCONN_PORT || 7345, path: '/readyz', rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# The flag closes what the program itself closes only once it runs.
ENTRYPOINT ["node", "--disable-sigusr1", "dist/main.js"]
CMD ["start"]

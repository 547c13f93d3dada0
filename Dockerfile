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
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", \
  "fetch('http://127.0.0.1:' + (process.env.AUTHCONN_PORT || 7345) + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
